// IRCU040's fixes: the page goes on the gather at hand, where that has a range, or is freed by a callback.
using Fix = IommuRcu.Analyzers.Tests.RcuCodeFixTest<
    IommuRcu.Analyzers.RcuDisciplineAnalyzer, IommuRcu.Analyzers.CodeFixes.DirectFreeFixer>;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class DirectFreeFixerTests
{
    [Fact]
    public Task GatherInScope_TakesThePage() => VerifyAsync(
        """
        void Remove(IommuDomain domain, ref IotlbGather gather, PageAllocator allocator, TablePage page)
        {
            domain.Unmap(new Iova(0), 4096, ref gather);
            {|IRCU040:allocator.Free(page)|}; // The page is empty.
        }
        """,
        """
        void Remove(IommuDomain domain, ref IotlbGather gather, PageAllocator allocator, TablePage page)
        {
            domain.Unmap(new Iova(0), 4096, ref gather);
            gather.Add(page); // The page is empty.
        }
        """);

    [Fact]
    public Task GatherWithoutARange_IsNotUsed() => VerifyAsync(
        """
        void Remove(IommuDomain domain, PageAllocator allocator, TablePage page)
        {
            using var gather = new IotlbGather(domain);

            // The page is empty.
            {|IRCU040:allocator.Free(page)|}; // Nobody maps it.
        }
        """,
        """
        void Remove(IommuDomain domain, PageAllocator allocator, TablePage page)
        {
            using var gather = new IotlbGather(domain);

            // The page is empty.
            Rcu.Call((owner: allocator, page: page), static state => state.owner.Free(state.page)); // Nobody maps it.
        }
        """);

    [Fact]
    public Task GatherWithARange_TakesThePage() => VerifyAsync(
        """
        void Remove(IommuDomain domain, PageAllocator allocator, TablePage first, TablePage second, bool both)
        {
            using var gather = new IotlbGather(domain);
            gather.Unmap(new Iova(0), 4096);
            {|IRCU040:allocator.Free(first)|};
            if (both)
                {|IRCU040:allocator.Free(second)|};
        }
        """,
        """
        void Remove(IommuDomain domain, PageAllocator allocator, TablePage first, TablePage second, bool both)
        {
            using var gather = new IotlbGather(domain);
            gather.Unmap(new Iova(0), 4096);
            gather.Add(first);
            if (both)
                gather.Add(second);
        }
        """);

    [Fact]
    public Task LinkedPage_MustBeUnlinkedFirst() => NoFixAsync(
        """
        void Link([Publishes] TablePage page) { }
        void Remove(PageAllocator allocator)
        {
            TablePage page = allocator.Allocate();
            Link(page);
            {|IRCU040:allocator.Free(page)|};
        }
        """);

    [Fact]
    public Task OtherDomainInScope_IsNotGuessedBetween() => NoFixAsync(
        """
        sealed class Node { }
        sealed class Pool { public void Return([Frees] Node node) { } }
        void Remove(SleepableRcu domain, Pool pool, Node node)
        {
            {|IRCU040:pool.Return(node)|};
        }
        """);

    [Fact]
    public Task ListByReference_CannotBeDeferred() => NoFixAsync(
        """
        void Remove(IommuDomain first, IommuDomain second, PageAllocator allocator, ref PageList pages)
        {
            {|IRCU040:allocator.FreeList(ref pages)|};
        }
        """);

    [Fact]
    public Task NoDomainInScope_FreesInACallback() => VerifyAsync(
        """
        void Remove(PageAllocator allocator, TablePage page)
        {
            {|IRCU040:allocator.Free(page)|};
        }
        """,
        """
        void Remove(PageAllocator allocator, TablePage page)
        {
            Rcu.Call((owner: allocator, page: page), static state => state.owner.Free(state.page));
        }
        """);

    [Fact]
    public Task PoolOfObjects_FreesInACallback() => VerifyAsync(
        """
        sealed class Node { [Frees] public void Release() { } }
        sealed class Pool { public void Return([Frees] Node node) { } public static void Drop([Frees] Node node) { } }
        readonly Pool _pool = new();
        void Remove(Node first, Node second, Node third)
        {
            {|IRCU040:_pool.Return(first)|};
            {|IRCU040:Pool.Drop(second)|};
            {|IRCU040:third.Release()|};
        }
        """,
        """
        sealed class Node { [Frees] public void Release() { } }
        sealed class Pool { public void Return([Frees] Node node) { } public static void Drop([Frees] Node node) { } }
        readonly Pool _pool = new();
        void Remove(Node first, Node second, Node third)
        {
            Rcu.Call((owner: _pool, page: first), static state => state.owner.Return(state.page));
            Rcu.Call(second, static page => Pool.Drop(page));
            Rcu.Call(third, static page => page.Release());
        }
        """);

    private static Task VerifyAsync(string members, string fixedMembers) => Fix.VerifyAsync(Source(members), Source(fixedMembers));

    private static Task NoFixAsync(string members) => new Fix { TestCode = Source(members) }.RunAsync();

    private static string Source(string members) => $$"""
        using IommuRcu;
        using IommuRcu.Annotations;
        using IommuRcu.Memory;
        class Owner
        {
        {{string.Join('\n', members.Split('\n').Select(line => line.Length == 0 ? line : "    " + line))}}
        }
        """;
}
