// IRCU091: demands a section that callers of the base were never told of.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.OverridingTables;

abstract class Table
{
    public abstract int First();
}

class RcuTable : Table
{
    [RequiresReadLock]
    public override int First() => 0;
}
