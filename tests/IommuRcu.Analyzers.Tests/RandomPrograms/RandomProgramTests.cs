// Soundness and silence, by random programs: thousands of method bodies whose truth is known by running every path.
using Xunit.Abstractions;

namespace IommuRcu.Analyzers.Tests.RandomPrograms;

public sealed class RandomProgramTests(ITestOutputHelper output)
{
    private const int ProgramsInABatch = 250;

    /// <summary>
    /// Batches in a normal run, fewer where the tests are repeated on another compiler; <c>IOMMURCU_BATCHES</c> asks for more, <c>IOMMURCU_SEED</c> for another start.
    /// </summary>
    private static readonly int _batches = int.TryParse(Environment.GetEnvironmentVariable("IOMMURCU_BATCHES"), out int n) ? n
        : typeof(RandomProgramTests).Assembly.GetName().Name == "IommuRcu.Analyzers.Tests" ? 12 : 3;

    private static readonly int _seed = int.TryParse(Environment.GetEnvironmentVariable("IOMMURCU_SEED"), out int n) ? n : 1;

    private static readonly IReadOnlySet<string> _rules = new RcuDisciplineAnalyzer().SupportedDiagnostics.Select(d => d.Id).ToHashSet();

    [Fact]
    public void RandomPrograms_EveryVisibleFaultIsReportedAndNothingElse()
    {
        int programs = 0;
        int givenUp = Judge.GivenUp;
        for (int batch = 0; batch < _batches; batch++)
        {
            int seed = _seed + batch;
            var list = Draw(seed, ProgramsInABatch);
            var (disagreements, _) = Judge.Compare(list, _rules);
            programs += list.Count;
            string explained = Explain(list, disagreements);
            Assert.True(explained.Length == 0, $"seed {seed}:\n{explained}");
        }

        givenUp = Judge.GivenUp - givenUp;
        output.WriteLine($"{programs} programs from seed {_seed}, 0 disagreements, {givenUp} too tangled to analyse");
        Assert.True(givenUp * 20 <= programs, $"{givenUp} of {programs} programs were given up on");
    }

    [Fact]
    public void RandomPrograms_AreJudgedTheSameWithoutAProofFirst()
    {
        int batches = Math.Max(1, _batches / 3);
        for (int batch = 0; batch < batches; batch++)
        {
            int seed = _seed + batch;
            IReadOnlyList<string> different = Judge.CompareProofs(Draw(seed, ProgramsInABatch).Select(static p => p.Program));
            Assert.True(different.Count == 0, $"seed {seed}:\n{string.Join('\n', different)}");
        }

        output.WriteLine($"{batches * ProgramsInABatch} programs from seed {_seed}, none judged differently");
    }

    /// <summary>Every ability of the analysis is needed: without it the random programs show disagreements.</summary>
    [Theory]
    [InlineData(nameof(Abilities.Finally))]
    [InlineData(nameof(Abilities.Correlation))]
    [InlineData(nameof(Abilities.FlowCaptures))]
    [InlineData(nameof(Abilities.Aliases))]
    [InlineData(nameof(Abilities.TryEnter))]
    [InlineData(nameof(Abilities.Exceptions))]
    [InlineData(nameof(Abilities.NestedFunctions))]
    public void RandomPrograms_MissAnAbilityThatIsTakenAway(string ability)
    {
        Abilities rest = Abilities.All & ~Enum.Parse<Abilities>(ability);
        var list = Draw(_seed, ProgramsInABatch);
        int missed = Judge.Compare(list, _rules, rest).Disagreements.DistinctBy(d => d.Program).Count();
        output.WriteLine($"without {ability}: {missed} of {list.Count} programs from seed {_seed} are judged wrongly");
        Assert.True(missed > 0, $"{list.Count} programs from seed {_seed} do without {ability}");
    }

    [Fact]
    public void EveryAbility_IsTakenAwayOnce()
        => Assert.Equal(
            Enum.GetValues<Abilities>().Where(static a => a is not (Abilities.None or Abilities.All)).Select(static a => a.ToString()).Order(StringComparer.Ordinal),
            typeof(RandomProgramTests).GetMethod(nameof(RandomPrograms_MissAnAbilityThatIsTakenAway))!.GetCustomAttributesData()
                .Where(static a => a.AttributeType == typeof(InlineDataAttribute))
                .Select(static a => (string)((IReadOnlyCollection<System.Reflection.CustomAttributeTypedArgument>)a.ConstructorArguments[0].Value!).Single().Value!)
                .Order(StringComparer.Ordinal));

    private static List<(RandomProgram Program, IReadOnlyDictionary<int, Verdict> Truth)> Draw(int seed, int count)
    {
        var generator = new Generator(seed);
        var list = new List<(RandomProgram Program, IReadOnlyDictionary<int, Verdict> Truth)>();
        while (list.Count < count)
        {
            RandomProgram program = generator.Next();
            try
            {
                list.Add((program, Interpreter.Run(program)));
            }
            catch (TooManyPathsException)
            {
                // Not worth exploring; the next one is smaller.
            }
        }

        return list;
    }

    /// <summary>Shrinks what disagrees. It stands only if it still disagrees when loops run twice as often: some faults take three rounds to come about.</summary>
    private static string Explain(List<(RandomProgram Program, IReadOnlyDictionary<int, Verdict> Truth)> list, IReadOnlyList<Disagreement> disagreements)
    {
        var text = new System.Text.StringBuilder();
        foreach (Disagreement first in disagreements.DistinctBy(d => d.Program).Take(6))
        {
            RandomProgram small = Shrinker.Shrink(list[first.Program].Program, p => Fails(p).Count > 0);
            var (still, source) = Judge.Compare([(small, Interpreter.Run(small, 2 * Interpreter.LoopBound))], _rules);
            if (still.Count > 0)
            {
                text.Append('\n').AppendJoin('\n', still.Select(d => $"line {d.Line}: {d.Text}")).Append('\n').Append(source);
            }
        }

        return text.ToString();
    }

    private static IReadOnlyList<Disagreement> Fails(RandomProgram program)
    {
        try
        {
            return Judge.Compare([(program, Interpreter.Run(program))], _rules).Disagreements;
        }
        catch (Exception e) when (e is TooManyPathsException or InvalidOperationException)
        {
            return [];   // a smaller text that does not compile, or cannot be explored, shows nothing
        }
    }
}
