// IRCU090: a contract that names a lock which does not exist.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.MisnamedLocks;

class Table
{
    private readonly object _lock = new();

    [RequiresWriterLock(Lock = "_missing")]
    public void Insert() => GC.KeepAlive(_lock);
}
