// The fixes that close sections on every path: IRCU031, 032, 033, 039.
using IommuRcu.Analyzers.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class SectionFixTests
{
    [Fact]
    public Task EnterAndExit_AroundAReturn_GetAFinally() => FixOf<SectionNotClosedFixer>.MembersAsync(
        """
        int Read(Epoch epoch, int value)
        {
            // Protects the value.
            {|IRCU033:epoch.Enter()|}; // Ends below.
            if (value < 0)
            {
                return -1; // Nothing there.
            }

            // All done.
            epoch.Exit(); // The end.
            return value;
        }
        """,
        """
        int Read(Epoch epoch, int value)
        {
            // Protects the value.
            epoch.Enter(); // Ends below.
            try
            {
                if (value < 0)
                {
                    return -1; // Nothing there.
                }
            }
            finally
            {
                // All done.
                // The end.
                epoch.Exit();
            }

            return value;
        }
        """);

    [Fact]
    public Task EnterAndExit_WithAResultDeclaredInside_TakeTheReturnIn() => FixOf<SectionNotClosedIfCallThrowsFixer>.MembersAsync(
        """
        int Read(Epoch epoch, [RunsSynchronously] Func<int> read)
        {
            {|IRCU039:epoch.Enter()|};
            int value = read();
            epoch.Exit();
            return value;
        }
        """,
        """
        int Read(Epoch epoch, [RunsSynchronously] Func<int> read)
        {
            epoch.Enter();
            try
            {
                int value = read();
                return value;
            }
            finally
            {
                epoch.Exit();
            }
        }
        """);

    [Fact]
    public Task Guard_WithALaterReturn_BecomesAUsingDeclaration() => FixOf<SectionNotClosedFixer>.MembersAsync(
        """
        int Read(Table table, bool isEmpty)
        {
            RcuReadScope section = {|IRCU033:Rcu.ReadLock()|};
            int first = table.First();
            if (isEmpty)
            {
                return -1;
            }

            section.Dispose();
            return first;
        }
        """,
        """
        int Read(Table table, bool isEmpty)
        {
            using RcuReadScope section = Rcu.ReadLock();
            int first = table.First();
            if (isEmpty)
            {
                return -1;
            }

            return first;
        }
        """);

    [Fact]
    public Task Guard_DisposedByHandAtTheEnd_BecomesAUsingStatement() => FixOf<GuardWithoutUsingFixer>.MembersAsync(
        """
        int Read(Table table)
        {
            int first = 0;
            RcuReadScope section = {|IRCU031:Rcu.ReadLock()|};
            first = table.First();
            section.Dispose();
            Console.WriteLine(first);
            return first;
        }
        """,
        """
        int Read(Table table)
        {
            int first = 0;
            using (RcuReadScope section = Rcu.ReadLock())
            {
                first = table.First();
            }

            Console.WriteLine(first);
            return first;
        }
        """);

    [Fact]
    public Task Guard_WhoseResultIsUsedInAWaitBehind_IsLeft() => FixOf<GuardWithoutUsingFixer>.NoneAsync(
        """
        void Read(Table table)
        {
            RcuReadScope section = {|IRCU031:Rcu.ReadLock()|};
            int first = table.First();
            section.Dispose();
            Thread.Sleep(first);
        }
        """);

    [Fact]
    public Task EnterTwice_IsLeft() => FixOf<SectionNotClosedFixer>.NoneAsync(
        """
        void Read(Epoch epoch)
        {
            {|IRCU033:epoch.Enter()|};
            epoch.Enter();
            epoch.Touch();
            epoch.Exit();
        }
        """);

    [Fact]
    public Task EntryOfACallsResult_IsLeft() => FixOf<SectionNotClosedFixer>.NoneAsync(
        """
        Epoch Current() => new();
        int Read(int value)
        {
            {|IRCU033:Current().Enter()|};
            return value;
        }
        """);

    [Fact]
    public Task SecondExit_IsRemoved_AndItsCommentStays() => FixOf<SectionClosedTwiceFixer>.MembersAsync(
        """
        void Read(Table table)
        {
            using RcuReadScope section = Rcu.ReadLock();
            table.First();
            // Ends it.
            {|IRCU032:section.Dispose()|};
        }
        """,
        """
        void Read(Table table)
        {
            using RcuReadScope section = Rcu.ReadLock();
            table.First();
            // Ends it.
        }
        """);
}
