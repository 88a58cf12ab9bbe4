// IRCU007: opens a section of one domain and walks another.
using IommuRcu;

namespace UndisciplinedDriver.SleepyDumpers;

class Reader(SleepableRcu sleepable, IommuDomain domain)
{
    public void Dump()
    {
        using (sleepable.ReadLock())
        {
            foreach (PageTableLeaf leaf in domain.Walk(new Iova(0), 1UL << 30))
            {
                Console.WriteLine(leaf.Iova);
            }
        }
    }
}
