// The allocator's promises: zeroed, aligned, never PA 0, checked on the way back, bounded, and quiet about memory.
using IommuRcu.Memory;

namespace IommuRcu.Tests.Memory;

public sealed unsafe class PageAllocatorTests : IDisposable
{
    private const ulong MiB = 1UL << 20;

    // What lies above 16 MiB is for the tests that need a second allocator.
    private readonly PhysicalMemory _memory = PhysicalMemory.Allocate(48 * MiB);
    private readonly PageAllocator _pages;

    public PageAllocatorTests() => _pages = new PageAllocator(_memory, new() { Ranges = [PhysicalRange.OfSize(new(0), 16 * MiB)] });

    public void Dispose()
    {
        _pages.Dispose();
        _memory.Dispose();
    }

    [Theory]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(21)]
    public void Page_IsZeroedAndNaturallyAligned(int sizeLog2)
    {
        for (int round = 0; round < 3; round++)
        {
            TablePage page = _pages.Allocate(sizeLog2);
            Assert.Equal(0UL, page.Address.Value & ((1UL << sizeLog2) - 1));
            Assert.NotEqual(0UL, page.Address.Value);
            Assert.Equal(sizeLog2, page.SizeLog2);
            Assert.Equal(1UL << sizeLog2, page.Size);
            Assert.Equal(TablePageState.Allocated, page.State);
            Assert.True(page.Pointer == _memory.GetPointer(page.Address, page.Size));
            var bytes = new Span<byte>(page.Pointer, 1 << sizeLog2);
            Assert.Equal(-1, bytes.IndexOfAnyExcept((byte)0));
            bytes.Fill(0xff);
            _pages.Free(page);
        }
    }

    [Fact]
    public void AllPages_AreDisjointAndNeverAtAddressZero()
    {
        var seen = new HashSet<ulong>();
        var all = new PageList();
        while (_pages.TryAllocate(out TablePage page))
        {
            Assert.True(seen.Add(page.Address.Value));
            all.Add(page);
        }

        Assert.Equal((int)((16 * MiB / 4096) - 1), seen.Count);
        Assert.DoesNotContain(0UL, seen);
        Assert.Equal(seen.Count, _pages.LivePages);
        Assert.Equal(seen.Count * 4096L, _pages.LiveBytes);
        Assert.Throws<OutOfMemoryException>(() => _pages.Allocate());
        _pages.FreeList(ref all);
        Assert.True(all.IsEmpty);
        Assert.Equal(0, _pages.LivePages);

        // Everything joined up again.
        TablePage large = _pages.Allocate(23);
        _pages.Free(large);
    }

    [Fact]
    public void DoubleFree_Throws()
    {
        TablePage page = _pages.Allocate();
        _pages.Free(page);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(() => _pages.Free(page));
        Assert.Contains("free already", e.Message);
    }

    [Fact]
    public void ForeignPage_Throws()
    {
        using var others = new PageAllocator(_memory, new() { Ranges = [PhysicalRange.OfSize(new(16 * MiB), MiB)] });
        TablePage page = others.Allocate();
        Assert.Throws<ArgumentException>(() => _pages.Free(page));
        Assert.Throws<ArgumentException>(() => _pages.Free(default));
        var list = default(PageList);
        list.Add(page);
        Assert.Throws<ArgumentException>(() => _pages.FreeList(ref list));
        Assert.Equal(1, list.Count);
        others.FreeList(ref list);
    }

    [Theory]
    [InlineData(0UL, 32 * MiB)]
    [InlineData(16 * MiB - 4096, 2 * 4096UL)]
    [InlineData(4 * MiB, 4096UL)]
    [InlineData(0UL, 3 * 4096UL)]
    public void FramesOfAnotherAllocator_AreRefused(ulong first, ulong size)
    {
        ArgumentException refused = Assert.Throws<ArgumentException>(
            () => new PageAllocator(_memory, new() { Ranges = [PhysicalRange.OfSize(new(40 * MiB), 4096), PhysicalRange.OfSize(new(first), size)] }));
        Assert.Contains("another allocator", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Frames_AreFreeForAnotherAllocator_BesideOnesInUseAndAfterDispose()
    {
        // Up to the very frame: the first allocator ends at 16 MiB.
        for (int i = 0; i < 2; i++)
        {
            using var beside = new PageAllocator(_memory, new() { Ranges = [PhysicalRange.OfSize(new(16 * MiB), 16 * MiB)] });
            Assert.Throws<ArgumentException>(() => new PageAllocator(_memory));
        }
    }

    [Fact]
    public void LinkedPage_CannotBeFreed()
    {
        TablePage page = _pages.Allocate();
        page.MarkLinked();
        Assert.Throws<InvalidOperationException>(() => _pages.Free(page));
        page.MarkUnlinked();
        _pages.Free(page);
    }

    [Fact]
    public void PageOnAList_CannotBeFreedAlone()
    {
        TablePage page = _pages.Allocate();
        var list = default(PageList);
        list.Add(page);
        Assert.Throws<InvalidOperationException>(() => _pages.Free(page));
        Assert.Throws<InvalidOperationException>(() => list.Add(page));
        _pages.FreeList(ref list);
        Assert.Throws<InvalidOperationException>(() => list.Add(page));
    }

    [Fact]
    public void StaleCopyOfAList_IsRefused()
    {
        var list = default(PageList);
        list.Add(_pages.Allocate());
        list.Add(_pages.Allocate());
        PageList copy = list;
        _pages.FreeList(ref list);
        Assert.Throws<InvalidOperationException>(() => _pages.FreeList(ref copy));
        Assert.Equal(0, _pages.LivePages);
    }

    [Theory]
    [InlineData(TablePageState.Allocated, "Linked")]
    [InlineData(TablePageState.Linked, "Unlinked,Allocated")]
    [InlineData(TablePageState.Unlinked, "Gathered")]
    [InlineData(TablePageState.Gathered, "Retired")]
    [InlineData(TablePageState.Retired, "")]
    public void StateMachine_AllowsTheStepsOfTheOrderOnly(TablePageState from, string legal)
    {
        (string Name, TablePageState To, Action<TablePage> Step)[] steps =
        [
            ("Linked", TablePageState.Linked, static p => p.MarkLinked()),
            ("Allocated", TablePageState.Allocated, static p => p.MarkNeverLinked()),
            ("Unlinked", TablePageState.Unlinked, static p => p.MarkUnlinked()),
            ("Gathered", TablePageState.Gathered, static p => p.MarkGathered()),
            ("Retired", TablePageState.Retired, static p => p.MarkRetired()),
        ];
        foreach ((string name, TablePageState to, Action<TablePage> step) in steps)
        {
            TablePage page = _pages.Allocate();
            page.Descriptor->State = (int)from;
            if (legal.Split(',').Contains(name))
            {
                step(page);
                Assert.Equal(to, page.State);
            }
            else
            {
                Assert.Throws<InvalidOperationException>(() => step(page));
                Assert.Equal(from, page.State);
            }

            page.Descriptor->State = (int)TablePageState.Allocated;
            _pages.Free(page);
        }
    }

    [Fact]
    public void NullPage_HasNothing()
    {
        TablePage none = default;
        Assert.True(none.IsNull);
        Assert.Throws<InvalidOperationException>(() => none.Address);
        Assert.Throws<InvalidOperationException>(() => none.State);
        Assert.Throws<ArgumentException>(() => none.MarkLinked());
        Assert.Equal("no page", none.ToString());
    }

    [Fact]
    public void GetPage_FindsPagesInUseByTheirFirstAddress()
    {
        TablePage page = _pages.Allocate(14);
        Assert.Equal(page, _pages.GetPage(page.Address));
        Assert.Throws<ArgumentException>(() => _pages.GetPage(page.Address + 0x1000));
        Assert.Throws<ArgumentException>(() => _pages.GetPage(page.Address + 8));
        Assert.Throws<ArgumentException>(() => _pages.GetPage(new PhysicalAddress(1UL << 40)));
        PhysicalAddress address = page.Address;
        _pages.Free(page);
        Assert.Throws<ArgumentException>(() => _pages.GetPage(address));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(31)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(int.MaxValue)]
    public void SizeOutOfRange_Throws(int sizeLog2) => Assert.Throws<ArgumentOutOfRangeException>(() => _pages.Allocate(sizeLog2));

    [Fact]
    public void Limit_HoldsWhateverThreadsKeepAtHand()
    {
        using var limited = new PageAllocator(_memory, new() { LimitBytes = 100 * 4096, Ranges = [PhysicalRange.OfSize(new(16 * MiB), 4 * MiB)] });
        var taken = new List<TablePage>();
        var thread = new Thread(() =>
        {
            // Leaves pages in this thread's magazines, and the thread stays alive.
            limited.Free(limited.Allocate());
        });
        thread.Start();
        thread.Join();
        for (int i = 0; i < 100; i++)
        {
            taken.Add(limited.Allocate());
        }

        Assert.False(limited.TryAllocate(out _));
        Assert.False(limited.TryAllocate(out _, 16));
        limited.Free(taken[0]);
        taken[0] = limited.Allocate();
        Assert.Equal(100 * 4096, limited.PeakLiveBytes);
        taken.ForEach(p => limited.Free(p));
        TablePage large = limited.Allocate(18);
        limited.Free(large);
    }

    [Fact]
    public void PagesOfALiveThread_AreCalledInBeforeMemoryCountsAsUsedUp()
    {
        using var few = new PageAllocator(_memory, new() { Ranges = [PhysicalRange.OfSize(new(16 * MiB), 8 * 4096)] });
        using var freed = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();
        var holder = new Thread(() =>
        {
            var list = default(PageList);
            for (int i = 0; i < 8; i++)
            {
                list.Add(few.Allocate());
            }

            few.FreeList(ref list);
            freed.Set();
            end.Wait();
        });
        holder.Start();
        freed.Wait();
        TablePage all = few.Allocate(15);
        few.Free(all);
        end.Set();
        holder.Join();
    }

    [Fact]
    public void Ranges_AreObeyed()
    {
        using PhysicalMemory memory = PhysicalMemory.Allocate(MiB);
        memory.AddWindow(new PhysicalAddress(1UL << 32), MiB);
        PhysicalRange[] ranges = [new(new(0x0), new(0x2fff)), new(new(0x10800), new(0x12fff)), PhysicalRange.OfSize(new((1UL << 32) + 0x3000), 0x2000)];
        using var pages = new PageAllocator(memory, new() { Ranges = ranges });
        var found = new List<ulong>();
        var list = default(PageList);
        while (pages.TryAllocate(out TablePage page))
        {
            found.Add(page.Address.Value);
            Assert.Equal(page, pages.GetPage(page.Address));
            Assert.True(page.Pointer == memory.GetPointer(page.Address, 4096));
            list.Add(page);
        }

        Assert.Equal([0x1000, 0x2000, 0x11000, 0x12000, (1UL << 32) + 0x3000, (1UL << 32) + 0x4000], found.Order().ToArray());
        pages.FreeList(ref list);
    }

    [Fact]
    public void BadRanges_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => new PageAllocator(_memory, new() { Ranges = [PhysicalRange.OfSize(new(15 * MiB), 2 * MiB)] }));
        Assert.Throws<ArgumentException>(() => new PageAllocator(_memory, new() { Ranges = [] }));
        Assert.Throws<ArgumentException>(() => new PageAllocator(_memory, new() { Ranges = [new(new(0), new(0xfff))] }));
        Assert.Throws<ArgumentException>(() => new PageAllocator(_memory, new() { Ranges = [new(new(0x1001), new(0x2ffe))] }));
        Assert.Throws<ArgumentException>(() => new PageAllocator(_memory, new() { Ranges = [new(new(0x2000), new(0x1000))] }));
        Assert.Throws<ArgumentException>(() => new PageAllocator(_memory, new() { Ranges = [new(new(0x1000), new(0x3fff)), new(new(0x3000), new(0x4fff))] }));
        Assert.Throws<ArgumentNullException>(() => new PageAllocator(null!));
    }

    [Fact]
    public void Poison_FillsFreedPages()
    {
        using var poisoned = new PageAllocator(_memory, new() { PoisonFreedPages = true, Ranges = [PhysicalRange.OfSize(new(16 * MiB), MiB)] });
        TablePage page = poisoned.Allocate();
        ulong* entries = (ulong*)page.Pointer;
        poisoned.Free(page);
        Assert.Equal(PageAllocator.Poison, entries[0]);
        Assert.Equal(PageAllocator.Poison, entries[511]);
        TablePage again = poisoned.Allocate();
        Assert.Equal(-1, new Span<byte>(again.Pointer, 4096).IndexOfAnyExcept((byte)0));
        poisoned.Free(again);
        Assert.Equal(0, poisoned.DamagedPages);
    }

    [Fact]
    public void WriteToAFreedPage_IsCountedWhereFreedPagesArePoisoned()
    {
        using var poisoned = new PageAllocator(_memory, new() { PoisonFreedPages = true, Ranges = [PhysicalRange.OfSize(new(16 * MiB), MiB)] });
        TablePage page = poisoned.Allocate();
        ulong* entries = (ulong*)page.Pointer;
        poisoned.Free(page);
        entries[17] &= ~(1UL << 9);
        poisoned.Free(poisoned.Allocate());
        Assert.Equal(1, poisoned.DamagedPages);
        poisoned.Free(poisoned.Allocate());
        Assert.Equal(1, poisoned.DamagedPages);
    }

    [Fact]
    public void DisposingWithLivePages_ThrowsAndChangesNothing()
    {
        PhysicalMemory memory = PhysicalMemory.Allocate(MiB);
        var pages = new PageAllocator(memory);
        TablePage page = pages.Allocate();
        Assert.Throws<InvalidOperationException>(pages.Dispose);
        Assert.Throws<InvalidOperationException>(memory.Dispose);
        *page.Pointer = 1;
        pages.Free(page);
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pages.Allocate(20));
        Assert.Throws<ArgumentException>(() => pages.Free(page));
        Assert.Throws<ArgumentException>(() => pages.GetPage(new PhysicalAddress(0x1000)));
        pages.Dispose();
    }

    [Fact]
    public void ShortThreads_LeaveNothingBehind()
    {
        for (int i = 0; i < 200; i++)
        {
            var thread = new Thread(() => _pages.Free(_pages.Allocate()));
            thread.Start();
            thread.Join();
        }

        Assert.Equal(200, _pages.AllocatedPages);
        Assert.Equal(200, _pages.FreedPages);
        Assert.Equal(0, _pages.LivePages);

        // What dead threads kept was taken over: far less than 200 times half a magazine.
        Assert.InRange(_pages.PeakLiveBytes, 0, 64 * 64 * 4096);
    }

    [Fact]
    public void HotPaths_AllocateNoManagedMemory()
    {
        TablePage[] held = new TablePage[200];
        void Round()
        {
            var list = default(PageList);
            for (int i = 0; i < held.Length; i++)
            {
                held[i] = _pages.Allocate(12 + (i % 3));
            }

            for (int i = 0; i < held.Length; i++)
            {
                if (i % 2 == 0)
                {
                    _pages.Free(held[i]);
                }
                else
                {
                    list.Add(held[i]);
                }
            }

            _pages.FreeList(ref list);
        }

        Round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
        {
            Round();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
