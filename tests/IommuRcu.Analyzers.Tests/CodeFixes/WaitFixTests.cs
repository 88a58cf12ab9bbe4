// The fixes about waits: IRCU020 moves one behind its section, IRCU051 behind its loop, IRCU064 adds one before a disposal.
using IommuRcu.Analyzers.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class WaitFixTests
{
    [Fact]
    public Task LastInTheSection_MovesBehindIt() => FixOf<GracePeriodWaitInSectionFixer>.MembersAsync(
        """
        void Replace(Table table)
        {
            using (Rcu.ReadLock())
            {
                table.First();

                // Waits for readers.
                {|IRCU020:Rcu.Synchronize()|}; // All of them.
            }
        }
        """,
        """
        void Replace(Table table)
        {
            using (Rcu.ReadLock())
            {
                table.First();
            }

            // Waits for readers.
            Rcu.Synchronize(); // All of them.
        }
        """);

    [Fact]
    public Task BeforeAReturn_TakesItAlong() => FixOf<GracePeriodWaitInSectionFixer>.MembersAsync(
        """
        int Replace(Table table)
        {
            using (Rcu.ReadLock())
            {
                int first = table.First();
                {|IRCU020:Rcu.Synchronize()|};
                return first;
            }
        }
        """,
        """
        int Replace(Table table)
        {
            int first;
            using (Rcu.ReadLock())
            {
                first = table.First();
            }

            Rcu.Synchronize();
            return first;
        }
        """);

    [Fact]
    public Task UsingDeclaration_EndsBeforeIt() => FixOf<GracePeriodWaitInSectionFixer>.MembersAsync(
        """
        void Replace(Table table)
        {
            using var section = Rcu.ReadLock();
            table.First();
            {|IRCU020:Rcu.Synchronize()|};
        }
        """,
        """
        void Replace(Table table)
        {
            using (var section = Rcu.ReadLock())
            {
                table.First();
            }

            Rcu.Synchronize();
        }
        """);

    [Fact]
    public Task InTheTryOfAPair_MovesBehindTheFinally() => FixOf<GracePeriodWaitInSectionFixer>.MembersAsync(
        """
        void Replace(Epoch epoch)
        {
            epoch.Enter();
            try
            {
                epoch.Touch();
                {|IRCU020:epoch.Wait()|};
            }
            finally
            {
                epoch.Exit();
            }
        }
        """,
        """
        void Replace(Epoch epoch)
        {
            epoch.Enter();
            try
            {
                epoch.Touch();
            }
            finally
            {
                epoch.Exit();
            }

            epoch.Wait();
        }
        """);

    [Fact]
    public Task WalkBehindIt_KeepsItThere() => FixOf<GracePeriodWaitInSectionFixer>.NoneAsync(
        """
        int Replace(Table table)
        {
            using (Rcu.ReadLock())
            {
                {|IRCU020:Rcu.Synchronize()|};
                return table.First();
            }
        }
        """);

    [Fact]
    public Task Disposal_WaitsForTheCallbacksFirst() => FixOf<DisposedWithoutBarrierFixer>.MembersAsync(
        """
        void Run(Page page)
        {
            var pool = new Pool();
            Rcu.Call((pool, page), static state => state.pool.Recycle(state.page));

            // Nobody needs it now.
            {|IRCU064:pool.Dispose()|};
        }
        """,
        """
        void Run(Page page)
        {
            var pool = new Pool();
            Rcu.Call((pool, page), static state => state.pool.Recycle(state.page));

            // Nobody needs it now.
            Rcu.Barrier();
            pool.Dispose();
        }
        """);

    [Fact]
    public Task DisposalByUsing_WaitsAtItsEnd() => FixOf<DisposedWithoutBarrierFixer>.MembersAsync(
        """
        int Run(Page page, int result)
        {
            using var {|IRCU064:pool = new Pool()|};
            Rcu.Call((pool, page), static state => state.pool.Recycle(state.page));
            return result;
        }
        """,
        """
        int Run(Page page, int result)
        {
            using var pool = new Pool();
            Rcu.Call((pool, page), static state => state.pool.Recycle(state.page));
            Rcu.Barrier();
            return result;
        }
        """);

    [Fact]
    public Task DomainOfTheUser_HasItsOwnBarrier() => FixOf<DisposedWithoutBarrierFixer>.MembersAsync(
        """
        void Run(Epoch epoch, Page page)
        {
            var pool = new Pool();
            epoch.Later((pool, page), static state => state.pool.Recycle(state.page));
            {|IRCU064:pool.Dispose()|};
        }
        """,
        """
        void Run(Epoch epoch, Page page)
        {
            var pool = new Pool();
            epoch.Later((pool, page), static state => state.pool.Recycle(state.page));
            epoch.Barrier();
            pool.Dispose();
        }
        """);

    [Fact]
    public Task LastInTheLoop_MovesBehindIt() => FixOf<WaitForEveryItemFixer>.MembersAsync(
        """
        void Clear(List<Page> pages, Epoch epoch)
        {
            // All of them.
            foreach (Page page in pages)
            {
                Remove(page);

                // Readers first.
                {|IRCU051:epoch.Wait()|}; // The slow part.
            }

            Log(pages);
        }

        void Remove([Unlinks] Page page) { }

        void Log(object done) { }
        """,
        """
        void Clear(List<Page> pages, Epoch epoch)
        {
            // All of them.
            foreach (Page page in pages)
            {
                Remove(page);
            }

            // Readers first.
            epoch.Wait(); // The slow part.

            Log(pages);
        }

        void Remove([Unlinks] Page page) { }

        void Log(object done) { }
        """);

    [Fact]
    public Task AwaitedAndCounted_MovesBehindTheLoop() => FixOf<WaitForEveryItemFixer>.MembersAsync(
        """
        async Task Clear(Page[] pages)
        {
            for (int i = 0; i < pages.Length; i++)
            {
                Remove(pages[i]);
                await {|IRCU051:Rcu.SynchronizeAsync()|}.ConfigureAwait(false);
            }
        }

        void Remove([Unlinks] Page page) { }
        """,
        """
        async Task Clear(Page[] pages)
        {
            for (int i = 0; i < pages.Length; i++)
            {
                Remove(pages[i]);
            }

            await Rcu.SynchronizeAsync().ConfigureAwait(false);
        }

        void Remove([Unlinks] Page page) { }
        """);

    [Theory]
    [InlineData("Remove(page); {|IRCU051:Rcu.Synchronize()|}; pool.Free(page);")]
    [InlineData("if (last != null) { {|IRCU040:pool.Free(last)|}; } last = page; Remove(page); {|IRCU051:Rcu.Synchronize()|};")]
    [InlineData("FreeTheLast(); Remove(page); {|IRCU051:Rcu.Synchronize()|};")]
    public Task WhatIsFreedInTheLoop_KeepsTheWaitThere(string body) => FixOf<WaitForEveryItemFixer>.NoneAsync(
        $$"""
        Page last;

        void Clear(List<Page> pages, Pool pool)
        {
            foreach (Page page in pages) { {{body}} }
        }

        void Remove([Unlinks] Page page) { }

        void FreeTheLast() { }
        """);
}
