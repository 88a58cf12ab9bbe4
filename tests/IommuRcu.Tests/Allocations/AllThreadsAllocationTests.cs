// No operation of a domain allocates on any thread: its own, the callback thread, whoever else. In a process of its own, where nothing else runs.
using IommuRcu.Memory;

namespace IommuRcu.Tests.Allocations;

public sealed class AllThreadsAllocationTests
{
    private const IommuAccess Access = IommuAccess.Read | IommuAccess.Write;
    private const ulong Page = 0x1000;
    private const ulong LargePage = 0x20_0000;

    [Fact]
    public void DomainsAtWork_AllocateNothingOnAnyThread()
    {
        string output = ChildProgram.Run(typeof(Work));
        Assert.Equal(4, output.Split('\n').Count(line => line.EndsWith(": 0 bytes, and more than 0 where something is allocated", StringComparison.Ordinal)));
    }

    internal static class Work
    {
        private static object? _kept;

        public static void Run()
        {
            using PhysicalMemory memory = PhysicalMemory.Allocate(32UL << 20);
            using var allocator = new PageAllocator(memory);
            foreach (PageTableFormat format in new[] { PageTableFormat.VtdSecondStage, PageTableFormat.AmdV1 })
            {
                foreach (RetireStrategy strategy in new[] { RetireStrategy.CallbackPerList, RetireStrategy.CallbackPerPage })
                {
                    using IommuDomain domain = IommuDomain.Create(format, new IommuDomainOptions { PageAllocator = allocator, RetireStrategy = strategy });
                    var bitmap = new DirtyBitmap(new Iova(0), 64 * LargePage);

                    // First calls compile, register threads and fill what is kept for later.
                    Repeat(domain, bitmap);
                    long bytes = Measure(() => Repeat(domain, bitmap));
                    long found = Measure(static () => OnAnotherThread());
                    Console.WriteLine($"{format}, {strategy}: {bytes} bytes, and {(found > 0 ? "more than 0" : "nothing")} where something is allocated");
                }
            }
        }

        private static long Measure(Action action)
        {
            Rcu.Barrier();
            long before = GC.GetTotalAllocatedBytes(precise: true);
            action();
            Rcu.Barrier();
            return GC.GetTotalAllocatedBytes(precise: true) - before;
        }

        private static void OnAnotherThread()
        {
            Rcu.Call(0, static _ => _kept = new byte[10_000]);
            Rcu.Barrier();
        }

        private static void Repeat(IommuDomain domain, DirtyBitmap bitmap)
        {
            for (int i = 0; i < 300; i++)
            {
                // Tables that are retired, tables that are emptied in parts and reclaimed, and everything that looks at them.
                domain.Map(new Iova(0), new PhysicalAddress(Page), LargePage, Access);
                domain.Map(new Iova(LargePage), new PhysicalAddress(LargePage), LargePage, Access);
                domain.TryTranslate(new Iova(Page), out _);
                domain.ReadDirty(new Iova(0), 2 * LargePage, bitmap, DirtyReadMode.ReadAndClear);
                domain.Protect(new Iova(0), LargePage, IommuAccess.Read);
                domain.Split(new Iova(LargePage), LargePage, Page);
                domain.TryMerge(new Iova(LargePage), LargePage);
                domain.Unmap(new Iova(0), LargePage);
                var gather = new IotlbGather(domain);
                domain.Unmap(new Iova(LargePage), LargePage, ref gather, bitmap);
                gather.Sync();
                for (ulong table = 0; table < 64; table++)
                {
                    domain.Map(new Iova(table * LargePage), new PhysicalAddress(Page), Page, Access);
                    domain.Unmap(new Iova(table * LargePage), Page);
                }

                domain.ReclaimEmptyTables();
            }
        }
    }
}
