// IRCU025: makes a text inside its section.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.MappingNamers;

abstract class MappingNamer
{
    [RequiresReadLock(DomainType = typeof(Rcu))]
    public abstract int Count();

    public string Name()
    {
        using (Rcu.ReadLock())
        {
            return $"{Count()} mappings";
        }
    }
}
