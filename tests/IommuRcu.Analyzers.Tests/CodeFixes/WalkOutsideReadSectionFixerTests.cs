// IRCU001's fixes: a section around the walk and whatever uses its result, or the contract on the member around it.
using Fix = IommuRcu.Analyzers.Tests.RcuCodeFixTest<
    IommuRcu.Analyzers.RcuDisciplineAnalyzer, IommuRcu.Analyzers.CodeFixes.WalkOutsideReadSectionFixer>;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class WalkOutsideReadSectionFixerTests
{
    private const string Table =
        """

        class Table
        {
            [RequiresReadLock(DomainType = typeof(Rcu))] public int First() => 0;
            [RequiresReadLock(DomainType = typeof(Rcu))] public int Next(int at) => at + 1;
        }
        """;

    [Fact]
    public Task Statement_IsWrapped() => VerifyAsync(
        """
        class Reader
        {
            void Read(Table table)
            {
                // Looks at the first.
                {|IRCU001:table.First()|};
                System.GC.KeepAlive(table);
            }
        }
        """,
        """
        class Reader
        {
            void Read(Table table)
            {
                // Looks at the first.
                using (Rcu.ReadLock())
                {
                    table.First();
                }

                System.GC.KeepAlive(table);
            }
        }
        """);

    [Fact]
    public Task Declaration_IsWrappedWithEveryUse() => VerifyAsync(
        """
        class Reader
        {
            int Read(Table table)
            {
                int before = 1;
                int first = {|IRCU001:table.First()|};
                System.GC.KeepAlive(table);
                int next = first + before;
                System.GC.Collect();
                return next;
            }
        }
        """,
        """
        class Reader
        {
            int Read(Table table)
            {
                int before = 1;
                using (Rcu.ReadLock())
                {
                    int first = table.First();
                    System.GC.KeepAlive(table);
                    int next = first + before;
                    System.GC.Collect();
                    return next;
                }
            }
        }
        """);

    [Fact]
    public Task SeveralWalks_ShareASectionWhereOneUsesTheOther() => VerifyAsync(
        """
        class Reader
        {
            int Read(Table table)
            {
                int first = {|IRCU001:table.First()|};
                int next = {|IRCU001:table.Next(first)|};
                return next;
            }
        }
        """,
        """
        class Reader
        {
            int Read(Table table)
            {
                using (Rcu.ReadLock())
                {
                    int first = table.First();
                    int next = table.Next(first);
                    return next;
                }
            }
        }
        """);

    [Fact]
    public Task IndependentWalks_GetTheirOwnSections() => VerifyAsync(
        """
        class Reader
        {
            void Read(Table table)
            {
                {|IRCU001:table.First()|};
                {|IRCU001:table.Next(1)|};
            }

            void Again(Table table)
            {
                {|IRCU001:table.First()|};
            }
        }
        """,
        """
        class Reader
        {
            void Read(Table table)
            {
                using (Rcu.ReadLock())
                {
                    table.First();
                }

                using (Rcu.ReadLock())
                {
                    table.Next(1);
                }
            }

            void Again(Table table)
            {
                using (Rcu.ReadLock())
                {
                    table.First();
                }
            }
        }
        """);

    [Fact]
    public Task EmbeddedStatement_IsWrapped() => VerifyAsync(
        """
        class Reader
        {
            void Read(Table table, bool go)
            {
                if (go)
                    {|IRCU001:table.First()|};
                while (go) {|IRCU001:table.First()|};
            }
        }
        """,
        """
        class Reader
        {
            void Read(Table table, bool go)
            {
                if (go)
                    using (Rcu.ReadLock())
                    {
                        table.First();
                    }

                while (go)
                    using (Rcu.ReadLock())
                    {
                        table.First();
                    }
            }
        }
        """);

    [Fact]
    public Task LoopHeader_WrapsTheLoop() => VerifyAsync(
        """
        class Reader
        {
            void Read(Table table)
            {
                for (int at = {|IRCU001:table.First()|}; at < 10; at++)
                {
                    System.Console.WriteLine(at);
                }
            }
        }
        """,
        """
        class Reader
        {
            void Read(Table table)
            {
                using (Rcu.ReadLock())
                {
                    for (int at = table.First(); at < 10; at++)
                    {
                        System.Console.WriteLine(at);
                    }
                }
            }
        }
        """);

    [Fact]
    public Task SwitchSection_IsWrapped() => VerifyAsync(
        """
        class Reader
        {
            void Read(Table table, int kind)
            {
                switch (kind)
                {
                    case 1:
                        {|IRCU001:table.First()|};
                        break;
                }
            }
        }
        """,
        """
        class Reader
        {
            void Read(Table table, int kind)
            {
                switch (kind)
                {
                    case 1:
                        using (Rcu.ReadLock())
                        {
                            table.First();
                        }

                        break;
                }
            }
        }
        """);

    [Fact]
    public Task ExpressionBodies_BecomeBlocks() => VerifyAsync(
        """
        class Reader(Table table)
        {
            int Value => {|IRCU001:table.First()|};

            int Read() => {|IRCU001:table.First()|};

            void Touch() => {|IRCU001:table.First()|};
        }
        """,
        """
        class Reader(Table table)
        {
            int Value
            {
                get
                {
                    using (Rcu.ReadLock())
                    {
                        return table.First();
                    }
                }
            }

            int Read()
            {
                using (Rcu.ReadLock())
                {
                    return table.First();
                }
            }

            void Touch()
            {
                using (Rcu.ReadLock())
                {
                    table.First();
                }
            }
        }
        """);

    [Fact]
    public Task Lambda_OpensItsOwnSection() => VerifyAsync(
        """
        class Reader
        {
            System.Func<int> Make(Table table) => () => {|IRCU001:table.First()|};
        }
        """,
        """
        class Reader
        {
            System.Func<int> Make(Table table) => () =>
            {
                using (Rcu.ReadLock())
                {
                    return table.First();
                }
            };
        }
        """);

    [Fact]
    public Task OutVariable_StaysInScopeOfItsUses() => VerifyAsync(
        """
        class Reader
        {
            int Read(Table table)
            {
                if (!int.TryParse({|IRCU001:table.First()|}.ToString(), out int parsed))
                {
                    return 0;
                }

                return parsed;
            }
        }
        """,
        """
        class Reader
        {
            int Read(Table table)
            {
                using (Rcu.ReadLock())
                {
                    if (!int.TryParse(table.First().ToString(), out int parsed))
                    {
                        return 0;
                    }

                    return parsed;
                }
            }
        }
        """);

    [Fact]
    public Task AwaitInTheRange_StaysOutside() => VerifyAsync(
        """
        class Reader
        {
            async System.Threading.Tasks.Task<int> Read(Table table)
            {
                int first = {|IRCU001:table.First()|};
                await System.Threading.Tasks.Task.Yield();
                return first;
            }
        }
        """,
        """
        class Reader
        {
            async System.Threading.Tasks.Task<int> Read(Table table)
            {
                int first;
                using (Rcu.ReadLock())
                {
                    first = table.First();
                }

                await System.Threading.Tasks.Task.Yield();
                return first;
            }
        }
        """);

    [Fact]
    public Task Contract_IsPutOnTheMember() => VerifyAsync(
        """
        class Reader
        {
            /// <summary>Reads.</summary>
            public int Read(Table table)
            {
                return {|IRCU001:table.First()|} + {|IRCU001:table.Next(1)|};
            }

            public Reader(Table table)
            {
                {|IRCU001:table.First()|};
            }
        }
        """,
        """
        class Reader
        {
            /// <summary>Reads.</summary>
            [RequiresReadLock(DomainType = typeof(Rcu))]
            public int Read(Table table)
            {
                return table.First() + table.Next(1);
            }

            [RequiresReadLock(DomainType = typeof(Rcu))]
            public Reader(Table table)
            {
                table.First();
            }
        }
        """,
        codeActionIndex: 1);

    [Fact]
    public Task DomainWithoutGuard_GetsTryAndFinally() => Fix.VerifyAsync(
        """
        using IommuRcu.Annotations;
        class Epoch
        {
            [AcquiresReadLock] public void Enter() { }
            [ReleasesReadLock] public void Exit() { }
            [RequiresReadLock] public int First() => 0;
        }
        class Reader
        {
            int Read(Epoch epoch)
            {
                return {|IRCU001:epoch.First()|};
            }
        }
        """,
        """
        using IommuRcu.Annotations;
        class Epoch
        {
            [AcquiresReadLock] public void Enter() { }
            [ReleasesReadLock] public void Exit() { }
            [RequiresReadLock] public int First() => 0;
        }
        class Reader
        {
            int Read(Epoch epoch)
            {
                epoch.Enter();
                try
                {
                    return epoch.First();
                }
                finally
                {
                    epoch.Exit();
                }
            }
        }
        """);

    [Fact]
    public Task NamespaceNotImported_IsWrittenOut() => Fix.VerifyAsync(
        """
        class Reader
        {
            void Read(IommuRcu.Annotations.Tests.Table table)
            {
                {|IRCU001:table.First()|};
            }
        }
        namespace IommuRcu.Annotations.Tests
        {
            class Table { [RequiresReadLock(DomainType = typeof(Rcu))] public int First() => 0; }
        }
        """,
        """
        class Reader
        {
            void Read(IommuRcu.Annotations.Tests.Table table)
            {
                using (IommuRcu.Rcu.ReadLock())
                {
                    table.First();
                }
            }
        }
        namespace IommuRcu.Annotations.Tests
        {
            class Table { [RequiresReadLock(DomainType = typeof(Rcu))] public int First() => 0; }
        }
        """);

    private static Task VerifyAsync(string source, string fixedSource, int codeActionIndex = 0)
    {
        const string usings = "using IommuRcu;\nusing IommuRcu.Annotations;\n";
        return Fix.VerifyAsync(usings + source + Table, usings + fixedSource + Table, codeActionIndex);
    }
}
