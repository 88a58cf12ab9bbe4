// A guard in a local, disposed in a finally.
using IommuRcu;
using ValidCode.World;

namespace ValidCode;

internal sealed class GuardInFinally(Table table, IommuDomain domain)
{
    public int Walk()
    {
        var guard = table.Epoch.Open();
        try
        {
            return table.Walk(1);
        }
        finally
        {
            guard.Dispose();
        }
    }

    public ulong Count(Iova iova)
    {
        RcuReadScope section = Rcu.ReadLock();
        try
        {
            ulong count = 0;
            foreach (PageTableLeaf leaf in domain.Walk(iova, 4096))
            {
                count += leaf.Size;
            }

            return count;
        }
        finally
        {
            section.Dispose();
        }
    }
}
