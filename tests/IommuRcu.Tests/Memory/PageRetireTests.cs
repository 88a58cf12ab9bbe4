// Pages on their way through a grace period: by a callback each or by one for the list, and what happens when memory runs short meanwhile.
using IommuRcu.Memory;

namespace IommuRcu.Tests.Memory;

public sealed class PageRetireTests : IDisposable
{
    private readonly PhysicalMemory _memory = PhysicalMemory.Allocate(1UL << 20);
    private readonly PageAllocator _pages;

    public PageRetireTests() => _pages = new PageAllocator(_memory, new() { LimitBytes = 64 * 4096 });

    public void Dispose()
    {
        Rcu.Barrier();
        _memory.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RetiredPages_AreFreedAfterAGracePeriodAndNotBefore(bool wholeList)
    {
        PageList list = Gathered(10);
        TablePage first = Peek(list);
        RcuReadScope section = Rcu.ReadLock();
        Retire(ref list, wholeList);
        Assert.True(list.IsEmpty);
        Assert.Equal(10, _pages.RetiredPages);
        Assert.Equal(10, _pages.LivePages);
        Assert.Equal(TablePageState.Retired, first.State);
        section.Dispose();
        Rcu.Barrier();
        Assert.Equal(0, _pages.RetiredPages);
        Assert.Equal(10, _pages.RetiredPagesTotal);
        Assert.Equal(0, _pages.LivePages);
        Assert.Equal(TablePageState.Free, first.State);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RetiredPage_CannotBeFreed(bool wholeList)
    {
        PageList list = Gathered(1);
        TablePage page = Peek(list);
        RcuReadScope section = Rcu.ReadLock();
        Retire(ref list, wholeList);
        Assert.Throws<InvalidOperationException>(() => _pages.Free(page));
        Assert.Throws<InvalidOperationException>(page.MarkRetired);
        section.Dispose();
        Rcu.Barrier();
        Assert.Throws<InvalidOperationException>(() => _pages.Free(page));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void PageThatIsNotGathered_CannotBeRetired(bool wholeList)
    {
        var list = default(PageList);
        TablePage page = _pages.Allocate();
        list.Add(page);
        Assert.Throws<InvalidOperationException>(() => Retire(ref list, wholeList));
        Assert.Equal(1, list.Count);
        Assert.Equal(TablePageState.Allocated, page.State);
        _pages.FreeList(ref list);
    }

    [Fact]
    public void DisposingWithQueuedCallbacks_Throws()
    {
        PageList list = Gathered(3);
        RcuReadScope section = Rcu.ReadLock();
        Retire(ref list, wholeList: true);
        InvalidOperationException e = Assert.Throws<InvalidOperationException>(_pages.Dispose);
        Assert.Contains("grace period", e.Message);
        Assert.Throws<InvalidOperationException>(_memory.Dispose);
        section.Dispose();
        Rcu.Barrier();
        _pages.Dispose();
    }

    [Fact]
    public void ShortMemory_IsReclaimedFromTheBacklogBeforeAnAllocationFails()
    {
        for (int round = 0; round < 20; round++)
        {
            PageList list = Gathered(64);
            Retire(ref list, wholeList: round % 2 == 0);
            _pages.Free(_pages.Allocate());
        }
    }

    [Fact]
    public void ShortMemory_IsWaitedForAlthoughOthersTakeWhatComesBackFirst()
    {
        const int Times = 5;
        PageList list = Gathered(63);
        TablePage last = _pages.Allocate();
        Rcu.Call((_pages, 1, last), static state => FreeAndTakeAgain(state));
        _pages.Free(_pages.Allocate());
        Assert.InRange(_pages.BacklogFlushes, 2, Times + 1);
        _pages.FreeList(ref list);

        // On the callback thread, which has the page again before whoever waits for its callbacks runs. Each time belongs to a flush of its own, unless
        // the one before waits for this callback too.
        static void FreeAndTakeAgain((PageAllocator Pages, int Time, TablePage Page) state)
        {
            SpinWait.SpinUntil(() => state.Pages.BacklogFlushes >= state.Time, TimeSpan.FromMilliseconds(20));
            state.Pages.Free(state.Page);
            if (state.Time < Times)
            {
                Rcu.Call((state.Pages, state.Time + 1, state.Pages.Allocate()), static state => FreeAndTakeAgain(state));
            }
        }
    }

    [Fact]
    public void ShortMemoryInsideASection_FailsAtOnce()
    {
        PageList list = Gathered(64);
        using (Rcu.ReadLock())
        {
            Retire(ref list, wholeList: true);
            Assert.False(_pages.TryAllocate(out _));
            Assert.Throws<OutOfMemoryException>(() => _pages.Allocate());
        }

        _pages.Free(_pages.Allocate());
    }

    [Fact]
    public void GatheredPages_MayBeFreedDirectlyAfterAWait()
    {
        PageList list = Gathered(5);
        Rcu.Synchronize();
        _pages.FreeList(ref list);
        Assert.Equal(0, _pages.LivePages);
    }

    [Fact]
    public void Retiring_AllocatesNoManagedMemory()
    {
        void Round()
        {
            PageList list = Gathered(16);
            Retire(ref list, wholeList: true);
            list = Gathered(16);
            Retire(ref list, wholeList: false);
        }

        Round();
        Rcu.Barrier();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static TablePage Peek(PageList list)
    {
        foreach (TablePage page in list)
        {
            return page;
        }

        return default;
    }

    private PageList Gathered(int count)
    {
        var list = default(PageList);
        for (int i = 0; i < count; i++)
        {
            TablePage page = _pages.Allocate();
            page.MarkLinked();
            page.MarkUnlinked();
            page.MarkGathered();
            list.Add(page);
        }

        return list;
    }

    private void Retire(ref PageList list, bool wholeList)
    {
        if (wholeList)
        {
            _pages.RetireList(ref list);
        }
        else
        {
            _pages.RetireEach(ref list);
        }
    }
}
