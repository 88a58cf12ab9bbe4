// The loser of an install race frees its page at once: nobody saw it.
using IommuRcu;
using IommuRcu.Annotations;
using ValidCode.World;

namespace ValidCode;

internal sealed class InstallRaceLoser(Table table, Pool pool)
{
    [RcuProtected] private Page? _root;

    public void Install(int index)
    {
        Page page = pool.Allocate();
        page.Value = index;
        if (!table.TryLink(index, page))
        {
            pool.Free(page);
        }
    }

    public bool TryInstall(int index)
    {
        if (!pool.TryAllocate(out Page? page))
        {
            return false;
        }

        if (table.TryLink(index, page!))
        {
            return true;
        }

        pool.Free(page);
        return false;
    }

    public void InstallRoot()
    {
        Page page = pool.Allocate();
        if (Rcu.CompareExchange(ref _root, page, null) != null)
        {
            pool.Free(page);
        }
    }
}
