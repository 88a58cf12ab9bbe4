// Holds the analyzers against the interpreter: what is wrong on a path that can be seen must be reported, what cannot go wrong must not.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;

namespace IommuRcu.Analyzers.Tests.RandomPrograms;

/// <summary>A place where the analyzers and the truth differ.</summary>
/// <param name="Program">The number of the program in its batch.</param>
/// <param name="Line">The line in the printed text, counted from 0.</param>
/// <param name="Text">What is wrong, for a reader.</param>
internal sealed record Disagreement(int Program, int Line, string Text);

/// <summary>Prints programs, analyses them in one compilation and compares.</summary>
internal static class Judge
{
    // What the interpreter knows the truth of. Other rules (style of guards, empty sections) may say what they like.
    private static readonly ImmutableHashSet<string> _judged =
    [
        "IRCU001", "IRCU005", "IRCU006", "IRCU007", "IRCU008", "IRCU009", "IRCU020", "IRCU022", "IRCU023", "IRCU030", "IRCU032", "IRCU033",
        "IRCU040", "IRCU041", "IRCU042", "IRCU043", "IRCU044", "IRCU045", "IRCU070",
    ];

    private static readonly ImmutableArray<MetadataReference> _references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(System.IO.Path.PathSeparator)
            .Where(p => System.IO.Path.GetFileName(p) is "System.Private.CoreLib.dll" or "System.Runtime.dll" or "System.Threading.dll" or "System.Threading.Thread.dll" or "IommuRcu.dll")
            .Select(p => MetadataReference.CreateFromFile(p)),
    ];

    /// <summary>Gets how many programs the analysis gave up on so far.</summary>
    internal static int GivenUp { get; private set; }

    /// <summary>Returns the disagreements over a batch, and the text that was analysed.</summary>
    /// <param name="programs">The programs, with what is true of them.</param>
    /// <param name="rules">Ids that this build of the analyzers implements; missing reports of others are not owed.</param>
    /// <param name="abilities">What the analysis may do.</param>
    internal static (IReadOnlyList<Disagreement> Disagreements, string Text) Compare(
        IReadOnlyList<(RandomProgram Program, IReadOnlyDictionary<int, Verdict> Truth)> programs, IReadOnlySet<string> rules, Abilities abilities = Abilities.All)
    {
        var printer = new Printer();
        string text = printer.Print(programs.Select(p => p.Program));
        ILookup<int, string> reported = Analyze(text, new AnalysisSettings { Abilities = abilities });
        var programOfLine = ProgramsByLine(text);
        var disagreements = new List<Disagreement>();
        string[] lines = text.Split('\n');

        // Where the analysis gave up it said so: nothing is owed there. How often it does is bounded by the test.
        HashSet<int> givenUp = [.. Enumerable.Range(0, lines.Length).Where(l => reported[l].Contains("IRCU095")).Select(l => programOfLine[l])];
        GivenUp += givenUp.Count;

        for (int line = 0; line < lines.Length; line++)
        {
            int program = programOfLine[line];
            string[] ids = [.. reported[line].Where(_judged.Contains)];
            Verdict? verdict = null;
            if (printer.StatementOf.TryGetValue(line, out int statement))
            {
                // A statement that no path reaches within the bound has no verdict: nothing is owed either way.
                if (program < 0 || !programs[program].Truth.TryGetValue(statement, out verdict))
                {
                    continue;
                }
            }

            switch (verdict?.Duty ?? Duty.Silence)
            {
                case Duty.Silence when ids.Length > 0:
                    disagreements.Add(new(program, line, $"{string.Join(", ", ids)} reported, but it cannot happen: {lines[line].Trim()}"));
                    break;
                case Duty.Report when givenUp.Contains(program):
                    break;
                case Duty.Report when rules.Contains(verdict!.Primary!) && !(verdict.IsUnsettled ? ids.Length > 0 : ids.Any(verdict.Ids.Contains)):
                    disagreements.Add(new(program, line, $"{string.Join(" or ", verdict.Ids)} owed{(ids.Length > 0 ? " instead of " + string.Join(", ", ids) : "")}: {lines[line].Trim()}"));
                    break;
            }
        }

        return (disagreements, text);
    }

    private static int[] ProgramsByLine(string text)
    {
        int program = -1;
        return [.. text.Split('\n').Select(l => l.Contains(Printer.Parameters, StringComparison.Ordinal) ? ++program : program)];
    }

    /// <summary>Prints programs, and reports on them with and without a proof first.</summary>
    /// <param name="programs">The programs.</param>
    /// <returns>The lines that are judged differently.</returns>
    internal static IReadOnlyList<string> CompareProofs(IEnumerable<RandomProgram> programs)
    {
        string text = new Printer().Print(programs);
        ILookup<int, string> reported = Analyze(text, new AnalysisSettings());
        ILookup<int, string> whole = Analyze(text, new AnalysisSettings { ProvesFirst = false });
        string[] lines = text.Split('\n');
        var programOfLine = ProgramsByLine(text);
        HashSet<int> givenUp = [.. Enumerable.Range(0, lines.Length).Where(l => whole[l].Contains("IRCU095")).Select(l => programOfLine[l])];
        return
        [
            .. Enumerable.Range(0, lines.Length)
                .Where(l => !givenUp.Contains(programOfLine[l]) && !reported[l].Order(StringComparer.Ordinal).SequenceEqual(whole[l].Order(StringComparer.Ordinal)))
                .Select(l => $"program {programOfLine[l]}, line {l}: {string.Join(", ", reported[l])} instead of {string.Join(", ", whole[l])}: {lines[l].Trim()}"),
        ];
    }

    private static ILookup<int, string> Analyze(string text, AnalysisSettings settings)
    {
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        SyntaxTree programs = CSharpSyntaxTree.ParseText(text, options);
        var compilation = CSharpCompilation.Create(
            "RandomPrograms",
            [programs, CSharpSyntaxTree.ParseText("#nullable enable\n" + Printer.Library, options)],
            _references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable, concurrentBuild: false));
        Diagnostic? error = compilation.GetDiagnostics().FirstOrDefault(d => d.Severity == DiagnosticSeverity.Error);
        if (error is not null)
        {
            throw new InvalidOperationException($"A program does not compile: {error}\n{text}");
        }

        return compilation
            .WithAnalyzers([new RcuDisciplineAnalyzer(settings)])
            .GetAnalyzerDiagnosticsAsync().GetAwaiter().GetResult()
            .Where(d => d.Location.SourceTree == programs || d.Id.StartsWith("AD", StringComparison.Ordinal))
            .Select(d => d.Id.StartsWith("AD", StringComparison.Ordinal) ? throw new InvalidOperationException(d.ToString()) : d)
            .ToLookup(d => d.Location.GetLineSpan().StartLinePosition.Line, d => d.Id);
    }
}
