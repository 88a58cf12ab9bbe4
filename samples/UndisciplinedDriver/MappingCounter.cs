// IRCU006: a helper needs a section, does not say so, and one of its callers has none.
using IommuRcu;

namespace UndisciplinedDriver.MappingCounters;

class Dumper(IommuDomain domain)
{
    public void Inside()
    {
        using (Rcu.ReadLock())
        {
            Count();
        }
    }

    public void Outside() => Count();

    private int Count()
    {
        int count = 0;
        foreach (PageTableLeaf leaf in domain.Walk(new Iova(0), 1UL << 30))
        {
            count += leaf.Level;
        }

        return count;
    }
}
