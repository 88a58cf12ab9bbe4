// Runs all rules on the situations of a file, and holds each to what it says.
using System.Collections.Immutable;
using System.Reflection;
using IommuRcu.Analyzers.Rules;
using IommuRcu.Annotations;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;
using Xunit.Abstractions;

namespace IommuRcu.Analyzers.Tests.Situations;

public sealed class SituationTests(ITestOutputHelper output)
{
    private static readonly string _folder = Path.Combine(
        typeof(SituationTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(static a => a.Key == "RepositoryRoot").Value!,
        "tests", "IommuRcu.Analyzers.Tests", "Situations");

    private static readonly CSharpParseOptions _parsing = new(LanguageVersion.Latest);

    // As C# numbers its versions: 1400 is C# 14.
    private static readonly int _language = (int)LanguageVersion.Latest.MapSpecifiedToEffectiveVersion() / 100;

    // Rules about how a guard is written rather than what it does; they count where a file is about them.
    private static readonly ImmutableHashSet<string> _style = ["IRCU024", "IRCU025", "IRCU026", "IRCU031", "IRCU037", "IRCU039", "IRCU051", "IRCU061", "IRCU073", "IRCU094"];

    private static readonly ImmutableArray<MetadataReference> _framework =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(static p => Path.GetFileName(p) is var name && (name.StartsWith("System.", StringComparison.Ordinal) || name is "Microsoft.CSharp.dll" or "mscorlib.dll" or "netstandard.dll"))
            .Select(static p => MetadataReference.CreateFromFile(p)),
        MetadataReference.CreateFromFile(typeof(RequiresReadLockAttribute).Assembly.Location),
    ];

    public static TheoryData<string> Files => 
    [
        .. Directory.EnumerateFiles(_folder, "*.txt").Select(static f => Path.GetFileNameWithoutExtension(f))
            .Where(static f => !f.EndsWith(".cs", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void EverySituation_IsJudgedAsItSays(string file)
    {
        (string[] rules, List<Situation> situations) = Situation.Read(File.ReadAllText(Path.Combine(_folder, file + ".txt")));
        situations.RemoveAll(static s => s.Language > _language);
        var wrong = new List<string>();
        var reported = new Dictionary<string, int>();
        var silent = rules.ToDictionary(static r => r, static _ => 0);
        ILookup<int, Diagnostic> found = Analyse(situations, new AnalysisSettings { ThrowsOnInternalError = true });
        for (int i = 0; i < situations.Count; i++)
        {
            string[] lines = situations[i].Source(i).Split('\n');
            HashSet<string> seen = [];
            for (int line = 0; line < lines.Length; line++)
            {
                List<string> left = [.. found[i].Where(d => d.Location.GetLineSpan().StartLinePosition.Line == line).Select(static d => d.Id)];
                foreach (string id in left)
                {
                    seen.Add(id);
                    reported[id] = reported.GetValueOrDefault(id) + 1;
                }

                foreach ((bool must, string[] ids) in Situation.Marks(lines[line]))
                {
                    int removed = left.RemoveAll(ids.Contains);
                    if (must && removed == 0)
                    {
                        wrong.Add($"{situations[i].Title}: {string.Join(" or ", ids)} is missing: {lines[line].Trim()}");
                    }
                }

                foreach (string id in left.Where(id => rules.Contains(id) || !_style.Contains(id)))
                {
                    Diagnostic diagnostic = found[i].First(d => d.Id == id && d.Location.GetLineSpan().StartLinePosition.Line == line);
                    wrong.Add($"{situations[i].Title}: {id} ({diagnostic.GetMessage()}): {lines[line].Trim()}");
                }
            }

            foreach (string rule in rules.Where(r => !seen.Contains(r)))
            {
                silent[rule]++;
            }
        }

        foreach (string rule in rules)
        {
            output.WriteLine($"{rule}: {reported.GetValueOrDefault(rule)} reported, silent in {silent[rule]} of {situations.Count} situations");
        }

        Assert.True(wrong.Count == 0, $"{wrong.Count} of {situations.Count} situations are judged wrongly:\n" + string.Join('\n', wrong));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void EverySituation_IsJudgedTheSameWithoutAProofFirst(string file)
    {
        List<Situation> situations = Situation.Read(File.ReadAllText(Path.Combine(_folder, file + ".txt"))).Situations;
        situations.RemoveAll(static s => s.Language > _language);
        ILookup<int, Diagnostic> found = Analyse(situations, new AnalysisSettings { ThrowsOnInternalError = true });
        ILookup<int, Diagnostic> whole = Analyse(situations, new AnalysisSettings { ThrowsOnInternalError = true, ProvesFirst = false });
        Assert.All(Enumerable.Range(0, situations.Count), i => Assert.Equal(Lines(situations[i], whole[i]), Lines(situations[i], found[i])));

        static string Lines(Situation situation, IEnumerable<Diagnostic> diagnostics)
            => situation.Title + "\n" + string.Join('\n', diagnostics.Select(static d => d.ToString()).Order(StringComparer.Ordinal));
    }

    private static ILookup<int, Diagnostic> Analyse(List<Situation> situations, AnalysisSettings settings)
    {
        SyntaxTree[] trees = [.. situations.Select(static (s, i) => CSharpSyntaxTree.ParseText(s.Source(i), _parsing, $"{i}.cs"))];
        CSharpCompilationOptions options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true)
            .WithSpecificDiagnosticOptions(RuleCatalog.Descriptors.Where(static d => !d.IsEnabledByDefault).ToDictionary(static d => d.Id, static _ => ReportDiagnostic.Warn));
        CSharpCompilation vendor = CSharpCompilation.Create("Vendor", [Parse("Vendor.cs.txt")], _framework, options);
        var compilation = CSharpCompilation.Create("Situations", [.. trees, Parse("World.cs.txt")], _framework.Add(vendor.ToMetadataReference()), options);
        Assert.Empty(compilation.GetDiagnostics().Where(static d => d.Severity == DiagnosticSeverity.Error));
        var analyzer = new RcuDisciplineAnalyzer(settings);
        CompilationWithAnalyzers host = compilation.WithAnalyzers([analyzer], new AnalyzerOptions([new ContractFile(Path.Combine(_folder, "vendor.rcucontracts"))]));
        ImmutableArray<Diagnostic> found = host.GetAnalyzerDiagnosticsAsync().GetAwaiter().GetResult();
        Assert.Empty(found.Where(static d => d.Location.SourceTree is null || d.Id.StartsWith("AD", StringComparison.Ordinal)));
        return found.Where(static d => d.Location.SourceTree!.FilePath.Length < 10).ToLookup(static d => int.Parse(Path.GetFileNameWithoutExtension(d.Location.SourceTree!.FilePath), System.Globalization.CultureInfo.InvariantCulture));
    }

    private static SyntaxTree Parse(string file) => CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(_folder, file)), _parsing, Path.Combine(_folder, file));

    private sealed class ContractFile(string path) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(File.ReadAllText(path));
    }
}
