// IRCU030's fix: the guard is held in a using, under a name that is free.
using Fix = IommuRcu.Analyzers.Tests.RcuCodeFixTest<
    IommuRcu.Analyzers.RcuDisciplineAnalyzer, IommuRcu.Analyzers.CodeFixes.GuardDiscardedFixer>;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class GuardDiscardedFixerTests
{
    [Fact]
    public Task Statement_BecomesAUsingDeclaration() => VerifyAsync(
        """
        void Read()
        {
            // Protects what follows.
            {|IRCU030:Rcu.ReadLock()|};
            Touch();
        }
        """,
        """
        void Read()
        {
            // Protects what follows.
            using var section = Rcu.ReadLock();
            Touch();
        }
        """);

    [Fact]
    public Task Discard_BecomesAUsingDeclaration() => VerifyAsync(
        """
        void Read()
        {
            _ = {|IRCU030:Rcu.ReadLock()|};
            Touch();
        }
        """,
        """
        void Read()
        {
            using var section = Rcu.ReadLock();
            Touch();
        }
        """);

    [Fact]
    public Task SecondGuardInOneMember_GetsAnotherName() => VerifyAsync(
        """
        void Read(int section)
        {
            {|IRCU030:Rcu.ReadLock()|};
            Touch();
            {
                {|IRCU030:Rcu.ReadLock()|};
                Touch();
            }
        }
        void Other()
        {
            {|IRCU030:Rcu.ReadLock()|};
            Touch();
        }
        """,
        """
        void Read(int section)
        {
            using var section2 = Rcu.ReadLock();
            Touch();
            {
                using var section3 = Rcu.ReadLock();
                Touch();
            }
        }
        void Other()
        {
            using var section = Rcu.ReadLock();
            Touch();
        }
        """);

    [Fact]
    public Task SwitchSection_GetsAUsingStatement() => VerifyAsync(
        """
        void Read(int kind)
        {
            switch (kind)
            {
                case 1:
                    {|IRCU030:Rcu.ReadLock()|};
                    Touch();
                    break;
            }
        }
        """,
        """
        void Read(int kind)
        {
            switch (kind)
            {
                case 1:
                    using (Rcu.ReadLock())
                    {
                        Touch();
                        break;
                    }
            }
        }
        """);

    [Fact]
    public Task SuspensionAfterIt_IsNotFixed()
    {
        const string members =
            """
            async System.Threading.Tasks.Task Read()
            {
                {|IRCU030:Rcu.ReadLock()|};
                Touch();
                {|IRCU023:await System.Threading.Tasks.Task.Yield()|};
            }
            """;
        var test = new Fix { TestCode = Source(members) };
        return test.RunAsync();
    }

    private static Task VerifyAsync(string members, string fixedMembers) => Fix.VerifyAsync(Source(members), Source(fixedMembers));

    private static string Source(string members) => $$"""
        using IommuRcu;
        class Reader
        {
            void Touch() { }

        {{string.Join('\n', members.Split('\n').Select(line => line.Length == 0 ? line : "    " + line))}}
        }
        """;
}
