// The fix that removes sections which protect nothing more: IRCU037.
using IommuRcu.Analyzers.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class RedundantSectionFixTests
{
    [Fact]
    public Task EmptySections_AreRemoved_AndCommentsStay() => FixOf<RedundantSectionFixer>.MembersAsync(
        """
        void Read(Table table)
        {
            // Lets the others go on.
            using ({|IRCU037:Rcu.ReadLock()|})
            {
            }
        }

        void Check(Table table)
        {
            using (RcuReadScope section = {|IRCU037:Rcu.ReadLock()|}) ; // Nothing.
            GC.KeepAlive(table); // The end.
        }
        """,
        """
        void Read(Table table)
        {
            // Lets the others go on.
        }

        void Check(Table table)
        {
            // Nothing.
            GC.KeepAlive(table); // The end.
        }
        """);

    [Fact]
    public Task SectionWithAComment_IsLeft() => FixOf<RedundantSectionFixer>.NoneAsync(
        """
        void Read(Table table)
        {
            using ({|IRCU037:Rcu.ReadLock()|})
            {
                // Nothing yet.
            }
        }
        """);

    [Fact]
    public Task SectionInASection_LeavesWhatStandsInIt() => FixOf<RedundantSectionFixer>.MembersAsync(
        """
        int Embedded(Table table)
        {
            using (Rcu.ReadLock())
            using ({|IRCU037:Rcu.ReadLock()|})
            {
                return table.First(); // One.
            }
        }

        int Alone(Table table)
        {
            using (Rcu.ReadLock())
            {
                // Before.
                using ({|IRCU037:Rcu.ReadLock()|})
                {
                    // Looks.
                    table.First();
                    return table.First();
                    // After.
                }
            }
        }

        int Statement(Table table)
        {
            using (Rcu.ReadLock())
                using ({|IRCU037:Rcu.ReadLock()|})
                    return table.First();
        }
        """,
        """
        int Embedded(Table table)
        {
            using (Rcu.ReadLock())
            {
                return table.First(); // One.
            }
        }

        int Alone(Table table)
        {
            using (Rcu.ReadLock())
            {
                // Before.
                // Looks.
                table.First();
                return table.First();
                // After.
            }
        }

        int Statement(Table table)
        {
            using (Rcu.ReadLock())
                return table.First();
        }
        """);

    [Fact]
    public Task SectionBesideOthers_LeavesABlock_SoThatNoNamesMeet() => FixOf<RedundantSectionFixer>.MembersAsync(
        """
        int Read(Table table)
        {
            using (Rcu.ReadLock())
            {
                using ({|IRCU037:Rcu.ReadLock()|})
                {
                    int first = table.First();
                    GC.KeepAlive(first);
                }

                {
                    int first = table.First();
                    return first;
                }
            }
        }
        """,
        """
        int Read(Table table)
        {
            using (Rcu.ReadLock())
            {
                {
                    int first = table.First();
                    GC.KeepAlive(first);
                }

                {
                    int first = table.First();
                    return first;
                }
            }
        }
        """);

    [Fact]
    public Task SecondDeclaration_IsRemoved() => FixOf<RedundantSectionFixer>.MembersAsync(
        """
        int Read(Table table)
        {
            using RcuReadScope section = Rcu.ReadLock();
            using RcuReadScope another = {|IRCU037:Rcu.ReadLock()|};
            return table.First();
        }
        """,
        """
        int Read(Table table)
        {
            using RcuReadScope section = Rcu.ReadLock();
            return table.First();
        }
        """);

    [Fact]
    public Task SectionWhoseGuardIsAsked_IsLeft() => FixOf<RedundantSectionFixer>.NoneAsync(
        """
        void Check(in RcuReadScope section) { }

        int Read(Table table)
        {
            using (Rcu.ReadLock())
            using (RcuReadScope section = {|IRCU037:Rcu.ReadLock()|})
            {
                Check(in section);
                return table.First();
            }
        }
        """);
}
