// IRCU004 and 005: protected values that outlive their section, or are used after it.
namespace IommuRcu.Analyzers.Tests.Walks;

public sealed class ProtectedValueTests
{
    [Fact]
    public Task Returned_Triggers() => RuleTest.Members("Page M() { using (Rcu.ReadLock()) { return {|IRCU004:table.Find(1)|}; } }");

    [Fact]
    public Task ReturnedLocal_Triggers() => RuleTest.Members("Page M() { using var scope = Rcu.ReadLock(); var page = table.Find(1); return {|IRCU004:page|}; }");

    [Fact]
    public Task StoredInField_Triggers() => RuleTest.Members("Page kept; void M() { using (Rcu.ReadLock()) { kept = {|IRCU004:table.Find(1)|}; } }");

    [Fact]
    public Task StoredInStatic_Triggers() => RuleTest.Members("static Page kept; void M() { using (Rcu.ReadLock()) { kept = {|IRCU004:table.Find(1)|}; } }");

    [Fact]
    public Task StoredInArray_Triggers() => RuleTest.Members("void M(Page[] pages) { using (Rcu.ReadLock()) { pages[0] = {|IRCU004:table.Find(1)|}; } }");

    [Fact]
    public Task AddedToList_Triggers() => RuleTest.Members("List<Page> pages = new(); void M() { using (Rcu.ReadLock()) { pages.Add({|IRCU004:table.Find(1)|}); } }");

    [Fact]
    public Task AddedToOlderLocal_Triggers() => RuleTest.Members("void M() { var pages = new List<Page>(); using (Rcu.ReadLock()) { pages.Add({|IRCU004:table.Find(1)|}); } }");

    [Fact]
    public Task OutParameter_Triggers() => RuleTest.Members("void M(out Page page) { using (Rcu.ReadLock()) { page = {|IRCU004:table.Find(1)|}; } }");

    [Fact]
    public Task RefParameter_Triggers() => RuleTest.Members("void M(ref Page page) { using (Rcu.ReadLock()) { page = {|IRCU004:table.Find(1)|}; } }");

    [Fact]
    public Task Captured_Triggers() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { var page = table.Find(1); Run.Later({|IRCU004:() => Console.WriteLine(page)|}); } }");

    [Fact]
    public Task ReturnedUnderContract_DoesNotTrigger() => RuleTest.Members("[RequiresReadLock] [return: RcuProtected] Page M() => table.Find(1);");

    [Fact]
    public Task ReturnedInsideCallersSection_DoesNotTrigger() => RuleTest.Members("[RequiresReadLock] Page M() => table.Find(1);");

    [Fact]
    public Task CopiedOut_DoesNotTrigger() => RuleTest.Members("int M() { using (Rcu.ReadLock()) { return table.Find(1).Order; } }");

    [Fact]
    public Task AddedToListOfTheSection_DoesNotTrigger() => RuleTest.Members("int M() { using (Rcu.ReadLock()) { var pages = new List<Page>(); pages.Add(table.Find(1)); return pages.Count; } }");

    [Fact]
    public Task CapturedBySynchronousLambda_DoesNotTrigger() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { var page = table.Find(1); Run.Now(() => Console.WriteLine(page)); } }");

    [Fact]
    public Task StoredInFreshObject_DoesNotTrigger() => RuleTest.Members("int M() { using (Rcu.ReadLock()) { var page = table.Find(1); var other = page; return other.Order; } }");

    [Fact]
    public Task NullReturned_DoesNotTrigger() => RuleTest.Members("Page M() { using (Rcu.ReadLock()) { var page = table.Find(1); if (page == null) { return page; } return null; } }");

    [Fact]
    public Task UsedAfterUsing_Triggers() => RuleTest.Members("int M() { Page page; using (Rcu.ReadLock()) { page = table.Find(1); } return {|IRCU005:page|}.Order; }");

    [Fact]
    public Task PassedAfterUsing_Triggers() => RuleTest.Members("void M() { Page page; using (Rcu.ReadLock()) { page = table.Find(1); } Console.WriteLine({|IRCU005:page|}); }");

    [Fact]
    public Task ReturnedAfterUsing_Triggers() => RuleTest.Members("Page M() { Page page; using (Rcu.ReadLock()) { page = table.Find(1); } return {|IRCU005:page|}; }");

    [Fact]
    public Task UsedInSecondSection_Triggers() => RuleTest.Members("""
        int M()
        {
            Page page;
            using (Rcu.ReadLock()) { page = table.Find(1); }
            using (Rcu.ReadLock()) { return {|IRCU005:page|}.Order; }
        }
        """);

    [Fact]
    public Task CalledAfterDispose_Triggers() => RuleTest.Members("""
        void M()
        {
            Page page = null;
            var scope = Rcu.ReadLock();
            try { page = table.Find(1); } finally { scope.Dispose(); }
            {|IRCU005:page|}.Write(1);
        }
        """);

    [Fact]
    public Task AliasUsedAfter_Triggers() => RuleTest.Members("int M() { Page a; using (Rcu.ReadLock()) { var b = table.Find(1); a = b; } return {|IRCU005:a|}.Order; }");

    [Fact]
    public Task UsedAfterRefresh_Triggers() => RuleTest.Source("""
        using IommuRcu.Annotations;
        class E
        {
            [AcquiresReadLock] public void Enter() { }
            [ReleasesReadLock] public void Exit() { }
            [RefreshesReadLock] public void Refresh() { }
            [RequiresReadLock] [return: RcuProtected] public Page Find() => new();
            [RequiresReadLock] int M() { var page = Find(); Refresh(); return {|IRCU005:page|}.Order; }
        }
        """);

    [Fact]
    public Task UsedInLoopAfterSection_Triggers() => RuleTest.Members("""
        void M(int n)
        {
            Page page = null;
            for (int i = 0; i < n; i++)
            {
                if (page != null) { {|IRCU005:page|}.Write(i); }
                using (Rcu.ReadLock()) { page = table.Find(i); }
            }
        }
        """);

    [Fact]
    public Task UsedInside_DoesNotTrigger() => RuleTest.Members("int M() { using (Rcu.ReadLock()) { var page = table.Find(1); page.Write(2); return page.Order; } }");

    [Fact]
    public Task InnerSectionOfNestedOnes_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            using (Rcu.ReadLock())
            {
                Page page;
                using (Rcu.ReadLock()) { page = table.Find(1); }
                return page.Order;
            }
        }
        """);

    [Fact]
    public Task NullTestAfter_DoesNotTrigger() => RuleTest.Members("bool M() { Page page; using (Rcu.ReadLock()) { page = table.Find(1); } return page != null; }");

    [Fact]
    public Task ReadAgain_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            Page page;
            using (Rcu.ReadLock()) { page = table.Find(1); page.Write(1); }
            using (Rcu.ReadLock()) { page = table.Find(1); return page.Order; }
        }
        """);

    [Fact]
    public Task Overwritten_DoesNotTrigger() => RuleTest.Members("int M(Page other) { Page page; using (Rcu.ReadLock()) { page = table.Find(1); page.Write(1); } page = other; return page.Order; }");
}
