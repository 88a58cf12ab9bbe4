// Every rule has a page that says the same as its descriptor, and whose examples are reported, or silent, as the page says.
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using IommuRcu.Analyzers.CodeFixes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;

namespace IommuRcu.Analyzers.Tests;

public class DocumentationTests
{
    private const string Usings =
        "using System; using System.Collections.Generic; using System.Threading; using System.Threading.Tasks; "
        + "using IommuRcu; using IommuRcu.Annotations; using IommuRcu.Memory;\n";

    private static readonly ImmutableArray<DiagnosticDescriptor> _rules = new RcuDisciplineAnalyzer().SupportedDiagnostics;

    public static TheoryData<string> Pages => [.. RulePage.All.Select(page => page.Id)];

    [Fact]
    public void EveryRule_HasExactlyOnePage() => Assert.Equal(
        _rules.Select(rule => rule.Id).Distinct().Order(StringComparer.Ordinal), RulePage.All.Select(page => page.Id));

    [Theory]
    [MemberData(nameof(Pages))]
    public void Page_SaysWhatTheDescriptorSays(string id)
    {
        RulePage page = PageOf(id);
        DiagnosticDescriptor rule = _rules.First(each => each.Id == id);
        Assert.Equal($"# {id}: {rule.Title}", page.Title);
        Assert.EndsWith($"/analyzers/docs/{id}.md", rule.HelpLinkUri, StringComparison.Ordinal);
        Assert.Equal(rule.Category, page.Row("Category"));
        Assert.Equal(Severity(rule), page.Row("Default severity"));
        Assert.Equal(Fixable().Contains(id) ? "yes" : "no", page.Row("Code fix"));
        foreach (string heading in new[] { "Why", "Flagged", "Not flagged", "Repair", "Suppress" })
        {
            Assert.Contains($"\n## {heading}\n\n", page.Text, StringComparison.Ordinal);
        }

        Assert.Matches(@"## Suppress\n\n[^#]*(RcuUnsafe\(""|dotnet_diagnostic\.)[^#]*why", page.Text);
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task FlaggedExample_IsReportedWhereItSays(string id)
    {
        if (PageOf(id).Example("Flagged") is not string example || !example.Contains("// " + id, StringComparison.Ordinal))
        {
            return;
        }

        IEnumerable<string> expected = example.Split('\n').Index()
            .SelectMany(
                line => Regex.Matches(line.Item, @"// (IRCU\d{3})").Select(match => $"line {line.Index + 1}: {match.Groups[1].Value}"));
        Assert.Equal(expected, await AnalyseAsync(example, id));
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task SilentExample_IsSilent(string id)
    {
        if (PageOf(id).Example("Not flagged") is string example)
        {
            Assert.Empty(await AnalyseAsync(example, id));
        }
    }

    [Fact]
    public void EveryPage_NamesTheRuleOfTheBookThatItServes_AndTheBookNamesEveryPage()
    {
        var book = new Dictionary<string, string>();
        string? current = null;
        foreach (string line in File.ReadLines(Path.Combine(RulePage.Repository, "docs", "discipline.md")))
        {
            current = Regex.Match(line, @"^\*\*(\d+)\. ") is { Success: true } rule ? rule.Groups[1].Value : current;
            foreach (Match id in Regex.Matches(line, @"IRCU\d{3}"))
            {
                Assert.NotNull(current);
                Assert.True(book.TryAdd(id.Value, current), $"The book names {id.Value} twice.");
            }
        }

        foreach (RulePage page in RulePage.All)
        {
            Match served = Regex.Match(
                page.Row("Serves") ?? string.Empty, @"^\[rule (\d+) of the discipline\]\(\.\./\.\./docs/discipline\.md#[a-z-]+\): \S");
            Assert.Equal((page.Id, book.GetValueOrDefault(page.Id)), (page.Id, served.Success ? served.Groups[1].Value : null));
        }

        Assert.DoesNotContain(_rules, rule => rule.Id != "IRCU095" && !book.ContainsKey(rule.Id));
    }

    [Fact]
    public void EveryFix_CanFixAll()
    {
        foreach (CodeFixProvider fix in Fixers())
        {
            Assert.Equal(
                [FixAllScope.Document, FixAllScope.Project, FixAllScope.Solution],
                fix.GetFixAllProvider()!.GetSupportedFixAllScopes().Order().Take(3));
        }
    }

    [Fact]
    public void Readme_ListsEveryRule()
    {
        string readme = File.ReadAllText(Path.Combine(RulePage.Repository, "README.md")).Replace("\r\n", "\n", StringComparison.Ordinal);
        IEnumerable<string> rows = _rules.DistinctBy(rule => rule.Id)
            .OrderBy(rule => rule.Id, StringComparer.Ordinal)
            .Select(rule => $"| [{rule.Id}](analyzers/docs/{rule.Id}.md) | {rule.Title} | {Severity(rule)} | {Mark(rule)} |");
        string table = "<!-- rules -->\n\n| rule | title | default | fix |\n|---|---|---|---|\n" + string.Join('\n', rows) + "\n\n";
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("IOMMURCU_WRITE_DOCS")))
        {
            readme = Regex.Replace(readme, @"<!-- rules -->\n\n(\|.*\n)+\n", table.Replace("$", "$$", StringComparison.Ordinal));
            File.WriteAllText(Path.Combine(RulePage.Repository, "README.md"), readme);
        }

        Assert.True(
            readme.Contains(table, StringComparison.Ordinal),
            "The README's table of rules differs from the rules. Run this test with IOMMURCU_WRITE_DOCS=1 to write it. It should be:\n" + table);
    }

    private static RulePage PageOf(string id) => RulePage.All.Single(page => page.Id == id);

    private static string Severity(DiagnosticDescriptor rule) =>
        (rule.DefaultSeverity == DiagnosticSeverity.Warning ? "warning" : "suggestion") + (
            rule.IsEnabledByDefault ? string.Empty : ", off by default");

    private static string Mark(DiagnosticDescriptor rule) => Fixable().Contains(rule.Id) ? "yes" : string.Empty;

    private static IEnumerable<CodeFixProvider> Fixers() => typeof(RuleFixer).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(RuleFixer)) && !type.IsAbstract)
        .Select(type => (CodeFixProvider)Activator.CreateInstance(type)!);

    private static HashSet<string> Fixable() => [.. Fixers().SelectMany(fix => fix.FixableDiagnosticIds)];

    // A rule that is off by default is on for its own page.
    private static async Task<IEnumerable<string>> AnalyseAsync(string example, string id)
    {
        ImmutableArray<MetadataReference> framework = await ReferenceAssemblies.Default.ResolveAsync(LanguageNames.CSharp, default);
        Compilation compilation = CSharpCompilation.Create(
            "Example",
            [CSharpSyntaxTree.ParseText(Usings + example)],
            framework.Add(TestReferences.IommuRcu),
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable,
                specificDiagnosticOptions: [new(id, ReportDiagnostic.Warn)]));
        Assert.Empty(compilation.GetDiagnostics().Where(each => each.Severity == DiagnosticSeverity.Error));
        ImmutableArray<Diagnostic> found = await compilation.WithAnalyzers([new RcuDisciplineAnalyzer()]).GetAnalyzerDiagnosticsAsync();
        return found.OrderBy(each => each.Location.SourceSpan.Start)
            .Select(each => $"line {each.Location.GetLineSpan().StartLinePosition.Line}: {each.Id}");
    }
}
