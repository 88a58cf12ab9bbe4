// Lists of pages: order, appending, using up, and what they refuse.
using IommuRcu.Memory;

namespace IommuRcu.Tests.Memory;

public sealed class PageListTests : IDisposable
{
    private readonly PhysicalMemory _memory = PhysicalMemory.Allocate(1UL << 20);
    private readonly PageAllocator _pages;

    public PageListTests() => _pages = new PageAllocator(_memory);

    public void Dispose() => _memory.Dispose();

    [Fact]
    public void Pages_KeepTheirOrder()
    {
        var first = default(PageList);
        var second = default(PageList);
        Assert.True(first.IsEmpty);
        TablePage[] pages = [.. Enumerable.Range(0, 6).Select(_ => _pages.Allocate())];
        foreach (TablePage page in pages[..3])
        {
            first.Add(page);
        }

        foreach (TablePage page in pages[3..])
        {
            second.Add(page);
        }

        first.Append(ref second);
        Assert.True(second.IsEmpty);
        Assert.Equal(0, second.Count);
        Assert.Equal(6, first.Count);
        int at = 0;
        foreach (TablePage page in first)
        {
            Assert.Equal(pages[at++], page);
        }

        Assert.Equal(6, at);
        for (at = 0; first.TryTake(out TablePage page); at++)
        {
            Assert.Equal(pages[at], page);
            _pages.Free(page);
        }

        Assert.Equal(6, at);
        Assert.True(first.IsEmpty);
    }

    [Fact]
    public void AppendingToAnEmptyList_AndAnEmptyOne_Works()
    {
        var empty = default(PageList);
        var one = default(PageList);
        one.Add(_pages.Allocate());
        empty.Append(ref one);
        Assert.Equal(1, empty.Count);
        empty.Append(ref one);
        Assert.Equal(1, empty.Count);
        empty.Add(_pages.Allocate());
        Assert.Equal(2, empty.Count);
        _pages.FreeList(ref empty);
        Assert.False(empty.TryTake(out TablePage none));
        Assert.True(none.IsNull);
    }

    [Fact]
    public void AppendingAListToItself_IsRefused()
    {
        var list = default(PageList);
        list.Add(_pages.Allocate());
        PageList copy = list;
        Assert.Throws<InvalidOperationException>(() => list.Append(ref copy));
        _pages.FreeList(ref list);
    }

    [Fact]
    public void NoPage_CannotBeAdded()
    {
        var list = default(PageList);
        Assert.Throws<ArgumentException>(() => list.Add(default));
        Assert.True(list.IsEmpty);
    }
}
