// Tear-down after every queued callback has run.
using IommuRcu;
using IommuRcu.Memory;
using ValidCode.World;

namespace ValidCode;

internal static class TearDownAfterBarrier
{
    public static void Own(Page item)
    {
        var pool = new Pool();
        Rcu.Call((pool, item), static state => state.pool.Free(state.item));
        Rcu.Barrier();
        pool.Dispose();
    }

    public static async Task OwnAsync(Page item)
    {
        var pool = new Pool();
        pool.Retire(item);
        await Rcu.BarrierAsync();
        pool.Dispose();
    }

    public static void Domain(PhysicalMemory memory)
    {
        var allocator = new PageAllocator(memory);
        IommuDomain domain = IommuDomain.Create(PageTableFormat.VtdSecondStage, new IommuDomainOptions { PageAllocator = allocator });
        domain.Map(new Iova(0), new PhysicalAddress(0), 4096, IommuAccess.Read);
        domain.Unmap(new Iova(0), 4096);
        domain.Dispose();
        Rcu.Barrier();
        allocator.Dispose();
    }
}
