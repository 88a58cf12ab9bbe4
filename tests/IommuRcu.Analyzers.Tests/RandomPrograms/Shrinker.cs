// Makes a failing program smaller: statements are dropped, and blocks replaced by their contents, as long as it still fails.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

using static Statement;

/// <summary>Greedy shrinking.</summary>
internal static class Shrinker
{
    /// <summary>Returns a program for which <paramref name="fails"/> still holds and of which no single step smaller one fails.</summary>
    internal static RandomProgram Shrink(RandomProgram program, Func<RandomProgram, bool> fails, int attempts = 400)
    {
        bool again = true;
        while (again)
        {
            again = false;
            foreach (Block smaller in Smaller(program.Body))
            {
                if (attempts-- == 0)
                {
                    return program;
                }

                var candidate = program with { Body = smaller };
                if (fails(candidate))
                {
                    program = candidate;
                    again = true;
                    break;
                }
            }
        }

        return program;
    }

    private static IEnumerable<Block> Smaller(Block block)
    {
        for (int i = 0; i < block.Body.Count; i++)
        {
            Statement[] before = [.. block.Body.Take(i)];
            Statement[] after = [.. block.Body.Skip(i + 1)];
            yield return new Block([.. before, .. after]);
            foreach (Block part in Parts(block.Body[i]))
            {
                yield return new Block([.. before, .. part.Body, .. after]);
            }

            foreach (Statement smaller in Smaller(block.Body[i]))
            {
                yield return new Block([.. before, smaller, .. after]);
            }
        }
    }

    private static IEnumerable<Block> Parts(Statement statement) => statement switch
    {
        Block s => [s],
        If s => [s.Then, s.Else],
        Try s => s.Finally is null ? [s.Body] : [s.Body, s.Finally],
        Using s => [s.Body],
        Switch s => s.Arms,
        SwitchNumber s => [.. s.Arms.Select(static a => a.Body), s.Default],
        IfTaken s => [s.Then, s.Else],
        Locked s => [s.Body],
        IfTryLock s => [s.Then, s.Else],
        Labelled s => [s.Body],
        Again s => [s.Body],
        Reference s => [s.Body],
        _ => [],
    };

    private static IEnumerable<Statement> Smaller(Statement statement) => statement switch
    {
        Block s => Smaller(s),
        Using s => Smaller(s.Body).Select(b => s with { Body = b }),
        UsingDeclaration s => Smaller(s.Rest).Select(b => s with { Rest = b }),
        GuardWithFinally s => Smaller(s.Body).Select(b => s with { Body = b }),
        GuardByHand s => Smaller(s.Body).Select(b => s with { Body = b }),
        IfTryBegin s => Smaller(s.Then).Select(b => s with { Then = b }).Concat(Smaller(s.Else).Select(b => s with { Else = b })),
        IfTryLink s => Smaller(s.Then).Select(b => s with { Then = b }).Concat(Smaller(s.Else).Select(b => s with { Else = b })),
        If s => Smaller(s.Then).Select(b => s with { Then = b }).Concat(Smaller(s.Else).Select(b => s with { Else = b })),
        While s => Smaller(s.Body).Select(b => s with { Body = b }),
        Switch s => s.Arms.SelectMany((arm, i) => Smaller(arm).Select(b => s with { Arms = [.. s.Arms.Select((a, j) => i == j ? b : a)] })),
        Try s => Smaller(s.Body).Select(b => s with { Body = b })
            .Concat(s.Handler is null ? [] : Smaller(s.Handler).Select(b => s with { Handler = b }))
            .Concat(s.Finally is null ? [] : Smaller(s.Finally).Select(b => s with { Finally = b })),
        RunNow s => Smaller(s.Body).Select(b => s with { Body = b }),
        RunLater s => Smaller(s.Body).Select(b => s with { Body = b }),
        Gather s => Smaller(s.Body).Select(b => s with { Body = b }),
        SwitchNumber s => s.Arms.SelectMany((arm, i) => Smaller(arm.Body).Select(b => s with { Arms = [.. s.Arms.Select((a, j) => i == j ? a with { Body = b } : a)] }))
            .Concat(Smaller(s.Default).Select(b => s with { Default = b })),
        IfTaken s => Smaller(s.Then).Select(b => s with { Then = b }).Concat(Smaller(s.Else).Select(b => s with { Else = b })),
        Locked s => Smaller(s.Body).Select(b => s with { Body = b }),
        IfSwitchBegin s => Smaller(s.Then).Select(b => s with { Then = b }).Concat(Smaller(s.Else).Select(b => s with { Else = b })),
        IfTryLock s => Smaller(s.Then).Select(b => s with { Then = b }).Concat(Smaller(s.Else).Select(b => s with { Else = b })),
        Labelled s => Smaller(s.Body).Select(b => s with { Body = b }),
        Again s => Smaller(s.Body).Select(b => s with { Body = b }),
        Reference s => Smaller(s.Body).Select(b => s with { Body = b }),
        _ => [],
    };
}
