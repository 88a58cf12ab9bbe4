// A table that was reclaimed and is not flushed yet: a device may still walk through it, so whoever maps in its place flushes before the mapping counts, and
// whoever stored into it takes the leaf back.
using System.Collections.Concurrent;
using IommuRcu.Memory;
using IommuRcu.Tests.PageTables.Formats;

namespace IommuRcu.Tests.Domains;

public sealed unsafe class UnflushedTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;
    private const ulong Page = 0x4020_3000;
    private const ulong Large = 0x20_0000;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(Page, 0x1000UL)]
    [InlineData(Page, 0x3000UL)]
    [InlineData(Page & ~(Large - 1), Large)]
    [InlineData(Page & ~(Large - 1), 2 * Large)]
    [InlineData(0x4000_0000UL, 0x4000_0000UL)]
    public void MapWhileAReclaimedTableIsBeingFlushed_FlushesForItself(ulong iova, ulong size)
    {
        MapsAndFlushes<VtdSecondStageFormat>(iova, size);
        MapsAndFlushes<AmdV1Format>(iova, size);
        MapsAndFlushes<ArmStage1Format<ArmGranule4K>>(iova, size);
    }

    private static void MapsAndFlushes<TFormat>(ulong iova, ulong size)
        where TFormat : struct, IPageTableFormat
    {
        using FormatDomain<TFormat> tested = OpenWithAnEmptyTable<TFormat>();
        var asked = new ConcurrentQueue<(IovaRange Range, bool TablesFreed, bool IsMapped)>();
        Exception? failure = null;
        var other = new Thread(() => failure = Record.Exception(
            () => tested.Domain.Map(new Iova(iova), new PhysicalAddress(iova), size, ReadWrite)));
        bool interrupted = false;
        tested.Invalidator.OnInvalidate = (range, tablesFreed) =>
        {
            if (Thread.CurrentThread == other)
            {
                asked.Enqueue((range, tablesFreed, tested.Domain.TryTranslate(new Iova(iova), out _)));
            }
            else if (!interrupted)
            {
                // The reclaimer's own flush has begun, and is held up.
                interrupted = true;
                other.Start();
                Assert.True(other.Join(_limit));
            }
        };
        Assert.True(tested.Domain.ReclaimEmptyTables() > 0);
        tested.Invalidator.OnInvalidate = null;
        Assert.Null(failure);
        Assert.True(interrupted);
        Assert.Contains(asked, a => a.TablesFreed && a.Range.First.Value <= iova && a.Range.Last.Value >= iova + (size - 1));
        if (TFormat.NeedsBreakBeforeMake && size >= Large)
        {
            // Before the page is there: it must not meet what a device knows of the table.
            Assert.Contains(asked, a => a.TablesFreed && !a.IsMapped);
        }
    }

    [Theory]
    [InlineData(0x1000UL)]
    [InlineData(0x2000UL)]
    public void LeavesStoredIntoAReclaimedTable_AreTakenBack(ulong size)
    {
        int taken = 0;
        bool interrupted = true;
        for (int at = 0; interrupted; at++)
        {
            interrupted = false;
            using FormatDomain<HookedFormat<VtdSecondStageFormat>> tested = OpenWithAnEmptyTable<HookedFormat<VtdSecondStageFormat>>();
            ulong* old = LowestTable(tested);
            using (Rcu.ReadLock())
            {
                // The section keeps the old table as it is, as a device does that has not heard of the flush.
                using (FormatHook.SetAt(at, () => interrupted = tested.Domain.ReclaimEmptyTables() > 0))
                {
                    tested.Domain.Map(new Iova(Page), new PhysicalAddress(0x1000), size, ReadWrite);
                }

                if (interrupted)
                {
                    taken++;
                    Assert.True(old != LowestTable(tested));
                    Assert.True(new ReadOnlySpan<ulong>(old, 512).IndexOfAnyExcept(0UL) < 0, $"interrupted at question {at}: the old table maps something.");
                }
            }

            Assert.True(tested.Domain.TryTranslate(new Iova(Page), out _));
        }

        Assert.True(taken > 2);
    }

    [Theory]
    [InlineData(0x1000UL)]
    [InlineData(0x2000UL)]
    public void MapThatFailsAfterItTookLeavesBack_FlushesWhatADeviceFound(ulong size)
    {
        int flushes = 0;
        bool interrupted = true;
        for (int at = 0; interrupted; at++)
        {
            interrupted = false;
            using FormatDomain<HookedFormat<VtdSecondStageFormat>> tested = OpenWithAnEmptyTable<HookedFormat<VtdSecondStageFormat>>();
            PageList hoard = default;
            bool failed = false;
            using (Rcu.ReadLock())
            {
                // What is reclaimed waits for the section, and all other pages are taken: where a table is needed anew there is none.
                using (FormatHook.SetAt(at, () =>
                    {
                        interrupted = tested.Domain.ReclaimEmptyTables() > 0;
                        while (tested.Allocator.TryAllocate(out TablePage page))
                        {
                            hoard.Add(page);
                        }

                        tested.Invalidator.OnInvalidate = (range, _) =>
                        {
                            Assert.True(range.First.Value <= Page && range.Last.Value >= Page + (size - 1));
                            flushes++;
                        };
                    }))
                {
                    failed = Record.Exception(() => tested.Domain.Map(new Iova(Page), new PhysicalAddress(0x1000), size, ReadWrite)) is OutOfMemoryException;
                }
            }

            tested.Invalidator.OnInvalidate = null;
            tested.Allocator.FreeList(ref hoard);
            Assert.Equal(interrupted, failed);
            Assert.Equal(!failed, tested.Domain.TryTranslate(new Iova(Page), out _));
        }

        Assert.True(flushes > 0);
    }

    // With a table of the lowest level that is empty, and kept back.
    private static FormatDomain<TFormat> OpenWithAnEmptyTable<TFormat>()
        where TFormat : struct, IPageTableFormat
    {
        var tested = new FormatDomain<TFormat>(39, memory: 1 << 20);
        tested.Domain.Map(new Iova(Page), new PhysicalAddress(0x1000), 0x1000, ReadWrite);
        tested.Domain.Unmap(new Iova(Page), 0x1000);
        return tested;
    }

    private static ulong* LowestTable<TFormat>(FormatDomain<TFormat> tested)
        where TFormat : struct, IPageTableFormat =>
        (ulong*)tested.Memory.GetPointer(PageTableDump.Tables(tested.Domain).Single(t => t.Level == 0).Address, 0x1000);
}
