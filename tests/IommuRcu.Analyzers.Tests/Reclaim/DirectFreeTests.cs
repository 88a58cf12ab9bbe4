// IRCU040: direct frees, and the ones that are right.
namespace IommuRcu.Analyzers.Tests.Reclaim;

public sealed class DirectFreeTests
{
    [Fact]
    public Task Parameter_Triggers() => RuleTest.Members("void M(Page page) { {|IRCU040:pool.Free(page)|}; }");

    [Fact]
    public Task Field_Triggers() => RuleTest.Members("Page root; void M() { {|IRCU040:pool.Free(root)|}; }");

    [Fact]
    public Task ArrayElement_Triggers() => RuleTest.Members("void M(Page[] pages) { {|IRCU040:pool.Free(pages[0])|}; }");

    [Fact]
    public Task ResultWithoutContract_Triggers() => RuleTest.Members("Page Get() => null; void M() { {|IRCU040:pool.Free(Get())|}; }");

    [Fact]
    public Task Unlinked_Triggers() => RuleTest.Members("void M() { var page = table.Unlink(1); {|IRCU040:pool.Free(page)|}; }");

    [Fact]
    public Task PublishedHere_Triggers() => RuleTest.Members("void M() { var page = pool.Allocate(); table.Link(1, page); {|IRCU040:pool.Free(page)|}; }");

    [Fact]
    public Task PublishedOnOneBranch_Triggers() => RuleTest.Members("""
        void M(bool link)
        {
            var page = pool.Allocate();
            if (link) { table.Link(1, page); }
            {|IRCU040:pool.Free(page)|};
        }
        """);

    [Fact]
    public Task WinnerOfTheRace_Triggers() => RuleTest.Members("""
        Page slot;
        void M()
        {
            var page = pool.Allocate();
            if (Interlocked.CompareExchange(ref slot, page, null) == null) { {|IRCU040:pool.Free(page)|}; }
        }
        """);

    [Fact]
    public Task Exchanged_Triggers() => RuleTest.Members("Page slot; void M() { var old = Interlocked.Exchange(ref slot, null); {|IRCU040:pool.Free(old)|}; }");

    [Fact]
    public Task ErrorPathAfterLink_Triggers() => RuleTest.Members("""
        void M()
        {
            var page = pool.Allocate();
            table.Link(1, page);
            try { Console.WriteLine(); } catch { {|IRCU040:pool.Free(page)|}; throw; }
        }
        """);

    [Fact]
    public Task CallbackCalledDirectly_Triggers() => RuleTest.Members("void M(Page page) { {|IRCU040:table.Release(page)|}; }");

    [Fact]
    public Task ChildOfPublished_Triggers() => RuleTest.Members("void M(Page page) { {|IRCU040:pool.Free(page.Child)|}; }");

    [Fact]
    public Task SubtreePublishedWithItsRoot_Triggers() => RuleTest.Members("""
        void M()
        {
            var root = pool.Allocate();
            var child = pool.Allocate();
            table.LinkUnder(root, child);
            table.Link(1, root);
            {|IRCU040:pool.Free(child)|};
        }
        """);

    [Fact]
    public Task InLambdaRunLater_Triggers() => RuleTest.Members("void M(Page page) { Run.Later(() => {|IRCU040:pool.Free(page)|}); }");

    [Fact]
    public Task WaitBeforeUnlink_Triggers() => RuleTest.Members("void M() { Rcu.Synchronize(); var page = table.Unlink(1); {|IRCU040:pool.Free(page)|}; }");

    [Fact]
    public Task Fresh_DoesNotTrigger() => RuleTest.Members("void M() { var page = pool.Allocate(); pool.Free(page); }");

    [Fact]
    public Task FreshFromTry_DoesNotTrigger() => RuleTest.Members("void M() { if (pool.TryAllocate(out var page)) { pool.Free(page); } }");

    [Fact]
    public Task LoserOfTheRace_DoesNotTrigger() => RuleTest.Members("""
        Page slot;
        Page M()
        {
            var page = pool.Allocate();
            var found = Interlocked.CompareExchange(ref slot, page, null);
            if (found != null) { pool.Free(page); return found; }
            return page;
        }
        """);

    [Fact]
    public Task LoserByContract_DoesNotTrigger() => RuleTest.Members("""
        void M()
        {
            var page = pool.Allocate();
            if (!table.TryLink(1, page)) { pool.Free(page); }
        }
        """);

    [Fact]
    public Task LoserRemembered_DoesNotTrigger() => RuleTest.Members("""
        void M()
        {
            var page = pool.Allocate();
            bool linked = table.TryLink(1, page);
            Console.WriteLine(linked);
            if (!linked) { pool.Free(page); }
        }
        """);

    [Fact]
    public Task UnlinkedAndWaitedFor_DoesNotTrigger() => RuleTest.Members("void M() { var page = table.Unlink(1); Rcu.Synchronize(); pool.Free(page); }");

    [Fact]
    public Task ParameterAfterWait_DoesNotTrigger() => RuleTest.Members("void M(Page page) { table.Remove(page); Rcu.Synchronize(); pool.Free(page); }");

    [Fact]
    public Task ExchangedAndWaitedFor_DoesNotTrigger() => RuleTest.Members("""
        Page slot;
        void M() { var old = Interlocked.Exchange(ref slot, null); Rcu.Synchronize(); pool.Free(old); }
        """);

    [Fact]
    public Task ReclaimCallback_DoesNotTrigger() => RuleTest.Members("""
        void M(Page page)
        {
            table.Remove(page);
            Rcu.Call((pool, page), static s => s.pool.Free(s.page));
            Run.Reclaim(page, p => pool.Free(p));
            Run.Reclaim(page, Later);
        }

        private void Later(Page page) => pool.Free(page);
        """);

    [Fact]
    public Task CallbackMethod_DoesNotTrigger() => RuleTest.Members("""
        [RunsAfterGracePeriod] void Done(Page page) { table.Release(page); }
        [RunsAfterGracePeriod] void Other(Page page) { pool.Free(page); }
        void M(Page page) { table.Remove(page); Run.Reclaim(page, p => table.Release(p)); }
        """);

    [Fact]
    public Task OwnParameterUnderContract_DoesNotTrigger() => RuleTest.Members("void M([Frees] Page page) => pool.Free(page); void N([Unpublished] Page page) => pool.Free(page);");

    [Fact]
    public Task PrivateSubtreeOnErrorPath_DoesNotTrigger() => RuleTest.Members("""
        void M()
        {
            var root = pool.Allocate();
            var child = pool.Allocate();
            table.LinkUnder(root, child);
            try { Console.WriteLine(); }
            catch { pool.Free(child); pool.Free(root); throw; }
            table.Link(1, root);
        }
        """);

    [Fact]
    public Task FreshInLoop_DoesNotTrigger() => RuleTest.Members("""
        void M(int n)
        {
            for (int i = 0; i < n; i++)
            {
                var page = pool.Allocate();
                if (table.TryLink(i, page)) { continue; }
                pool.Free(page);
            }
        }
        """);

    [Fact]
    public Task FreshFreedInFinallyUnlessLinked_DoesNotTrigger() => RuleTest.Members("""
        void M()
        {
            var page = pool.Allocate();
            bool linked = false;
            try
            {
                Console.WriteLine();
                table.Link(1, page);
                linked = true;
            }
            finally
            {
                if (!linked) { pool.Free(page); }
            }
        }
        """);

    [Fact]
    public Task Null_DoesNotTrigger() => RuleTest.Members("void M() { pool.Free(null); Page none = null; pool.Free(none); }");

    [Fact]
    public Task AliasOfFresh_DoesNotTrigger() => RuleTest.Members("void M() { var page = pool.Allocate(); var other = page; pool.Free(other); }");

    [Fact]
    public Task TearDownAfterWait_DoesNotTrigger() => RuleTest.Members("Page root; void Dispose() { Rcu.Synchronize(); pool.Free(root); }");

    [Fact]
    public Task Retired_DoesNotTrigger() => RuleTest.Members("void M(Page page) { table.Remove(page); pool.Retire(page); }");
}
