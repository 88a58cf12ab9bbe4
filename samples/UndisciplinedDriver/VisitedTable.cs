// IRCU026: runs its visitor, whatever that does, inside its section.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.VisitedTables;

abstract class VisitedTable
{
    [RequiresReadLock(DomainType = typeof(Rcu))]
    public abstract int Count();

    public void Visit(Action<int> visit)
    {
        using (Rcu.ReadLock())
        {
            visit(Count());
        }
    }
}
