// How a section or contract is put around a walk: IRCU001, 006 and 008, where something waits, gets out or may be null.
using IommuRcu.Analyzers.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class WrapFixTests
{
    [Fact]
    public Task WaitBehind_StaysOutside_AndTheLocalIsDeclaredBefore() => FixOf<WalkOutsideReadSectionFixer>.MembersAsync(
        """
        int Read(Table table)
        {
            // Looks first.
            var first = {|IRCU001:table.First()|}; // Once.
            Rcu.Synchronize();
            return first;
        }
        """,
        """
        int Read(Table table)
        {
            // Looks first.
            int first;
            using (Rcu.ReadLock())
            {
                first = table.First(); // Once.
            }

            Rcu.Synchronize();
            return first;
        }
        """);

    [Fact]
    public Task BlockingCallBehind_StaysOutside() => FixOf<WalkOutsideReadSectionFixer>.MembersAsync(
        """
        void Read(Table table)
        {
            int first = {|IRCU001:table.First()|};
            Thread.Sleep(first);
        }
        """,
        """
        void Read(Table table)
        {
            int first;
            using (Rcu.ReadLock())
            {
                first = table.First();
            }

            Thread.Sleep(first);
        }
        """);

    [Fact]
    public Task BlockingCallInTheStatement_IsLeft() => FixOf<WalkOutsideReadSectionFixer>.NoneAsync(
        """
        void Read(Table table)
        {
            Thread.Sleep({|IRCU001:table.First()|});
        }
        """);

    [Fact]
    public Task DomainThatMayBeNull_IsLeftToTheCaller() => FixOf<WalkOutsideReadSectionFixer>.MembersAsync(
        """
        void Read(Epoch epoch)
        {
            epoch?{|IRCU001:.Touch()|};
        }
        """,
        """
        [RequiresReadLock]
        void Read(Epoch epoch)
        {
            epoch?.Touch();
        }
        """);

    [Fact]
    public Task ProtectedResult_IsNotReturnedFromASectionOfItsOwn() => FixOf<WalkOutsideReadSectionFixer>.MembersAsync(
        """
        [return: RcuProtected(DomainType = typeof(Rcu))]
        Page Find(Table table)
        {
            var page = {|IRCU001:table.Find()|};
            return page;
        }
        """,
        """
        [RequiresReadLock(DomainType = typeof(Rcu))]
        [return: RcuProtected(DomainType = typeof(Rcu))]
        Page Find(Table table)
        {
            var page = table.Find();
            return page;
        }
        """);

    [Fact]
    public Task YieldInTheRun_StaysOutside() => FixOf<WalkOutsideReadSectionFixer>.MembersAsync(
        """
        System.Collections.Generic.IEnumerable<int> Read(Table table)
        {
            int first = {|IRCU001:table.First()|};
            yield return first;
        }
        """,
        """
        System.Collections.Generic.IEnumerable<int> Read(Table table)
        {
            int first;
            using (Rcu.ReadLock())
            {
                first = table.First();
            }

            yield return first;
        }
        """);

    [Fact]
    public Task DomainWithoutAGuard_IsEnteredAndLeft() => FixOf<SectionOpenOnSomePathsOnlyFixer>.MembersAsync(
        """
        int Read(Epoch epoch, int mode)
        {
            if (mode > 1)
            {
                epoch.Enter();
            }

            int first = {|IRCU008:epoch.Touch()|}; // In any case.
            if (mode > 1)
            {
                epoch.Exit();
            }

            return first;
        }
        """,
        """
        int Read(Epoch epoch, int mode)
        {
            if (mode > 1)
            {
                epoch.Enter();
            }

            int first;
            epoch.Enter();
            try
            {
                first = epoch.Touch(); // In any case.
            }
            finally
            {
                epoch.Exit();
            }

            if (mode > 1)
            {
                epoch.Exit();
            }

            return first;
        }
        """);

    [Fact]
    public Task Helper_TellsItsCallers() => FixOf<ContractNotPassedOnFixer>.MembersAsync(
        """
        void Inside(Table table)
        {
            using (Rcu.ReadLock())
            {
                Count(table);
            }
        }

        void Outside(Table table) => Count(table);

        // Counts.
        int Count(Table table) => {|IRCU006:table.First()|};
        """,
        """
        void Inside(Table table)
        {
            using (Rcu.ReadLock())
            {
                Count(table);
            }
        }

        void Outside(Table table) => {|IRCU001:Count(table)|};

        // Counts.
        [RequiresReadLock(DomainType = typeof(Rcu))]
        int Count(Table table) => table.First();
        """,
        """
        void Inside(Table table)
        {
            using (Rcu.ReadLock())
            {
                Count(table);
            }
        }

        void Outside(Table table)
        {
            using (Rcu.ReadLock())
            {
                Count(table);
            }
        }

        // Counts.
        [RequiresReadLock(DomainType = typeof(Rcu))]
        int Count(Table table) => table.First();
        """);
}
