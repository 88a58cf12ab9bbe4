// Unlink, wait for a grace period, free directly: quiescent pages need no callback.
using IommuRcu;
using IommuRcu.Memory;
using ValidCode.World;

namespace ValidCode;

internal sealed class UnlinkWaitFree(Table table, Pool pool)
{
    public void RemoveOne(int index)
    {
        Page? page = table.Unlink(index);
        Rcu.Synchronize();
        pool.Free(page);
    }

    public void RemoveIfThere(int index)
    {
        if (table.Unlink(index) is { } page)
        {
            table.Epoch.Wait();
            pool.Free(page);
        }
    }

    public async Task RemoveAsync(int index)
    {
        Page? page = table.Unlink(index);
        await Rcu.SynchronizeAsync();
        pool.Free(page);
    }

    public void RemoveLater(int index)
    {
        Page? page = table.Unlink(index);
        if (page != null)
        {
            pool.Retire(page);
        }
    }

    public static void FreeUnused(PageAllocator allocator)
    {
        TablePage page = allocator.Allocate();
        allocator.Free(page);
    }
}
