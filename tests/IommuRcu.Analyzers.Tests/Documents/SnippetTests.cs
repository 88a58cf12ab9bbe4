// Every C# block of the READMEs and of docs compiles, and the rules find nothing in it.
using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;

namespace IommuRcu.Analyzers.Tests.Documents;

/// <remarks>
/// A block by itself is a program. An HTML comment right above it, which no reader sees, says otherwise: <c>with: declarations</c>, the block is
/// statements in a class that has these members; <c>members, with: declarations</c>, the block is members beside them; <c>fragment: why</c>, it is not compiled.
/// </remarks>
public class SnippetTests
{
    private const string Usings =
        "global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq; global using System.Threading; "
        + "global using System.Threading.Tasks; global using IommuRcu; global using IommuRcu.Annotations; global using IommuRcu.Emulation; "
        + "global using IommuRcu.Memory;";

    public static TheoryData<string> Places => [.. Page.All.SelectMany(page => page.Snippets).Select(snippet => snippet.Place)];

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Snippet_CompilesAndIsSilent(string place)
    {
        Snippet snippet = Page.All.SelectMany(page => page.Snippets).Single(each => each.Place == place);
        if (!Regex.IsMatch(snippet.Comment, @"^fragment: \w"))
        {
            Assert.Equal([], await FindAsync(snippet));
        }
    }

    [Theory]
    [InlineData("", "int x = Missing();", "CS0103")]
    [InlineData("with: int Present() => 1;", "int x = Present();", null)]
    [InlineData("with: IommuDomain domain;", "foreach (PageTableLeaf leaf in domain.Walk(new Iova(0), 4096)) { }", "IRCU001")]
    [InlineData("members, with: struct Node;", "[RequiresReadLock] Node* First() => null;", null)]
    [InlineData("members, with: struct Node;", "Node* First() { … }", "CS1056")]
    [InlineData("wiht: a typing error", "return;", "comment")]
    public async Task Check_FindsWhatIsWrong(string comment, string code, string? expected)
    {
        IEnumerable<string> found = await FindAsync(new Snippet("here:1", comment, code));
        Assert.Equal(expected is null, !found.Any());
        Assert.True(expected is null || found.Any(each => each.Contains(expected, StringComparison.Ordinal)), string.Join('\n', found));
    }

    private static async Task<IEnumerable<string>> FindAsync(Snippet snippet)
    {
        Match with = Regex.Match(snippet.Comment, @"^(?<members>members, )?with: (?<declarations>.*)$", RegexOptions.Singleline);
        string? source = (snippet.Comment, with.Success, with.Groups["members"].Success) switch
        {
            ("", _, _) => snippet.Code,
            (_, true, true) => $"unsafe class Snippet {{ {with.Groups["declarations"].Value}\n#line 1\n{snippet.Code}\n}}",
            (_, true, false) => $"unsafe class Snippet {{ {with.Groups["declarations"].Value}\nvoid Run() {{\n#line 1\n{snippet.Code}\n}} }}",
            _ => null,
        };
        if (source is null)
        {
            return [$"{snippet.Place}: the comment '{snippet.Comment}' is none that snippets have"];
        }

        ImmutableArray<MetadataReference> framework = await ReferenceAssemblies.Default.ResolveAsync(LanguageNames.CSharp, default);
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        SyntaxTree tree = CSharpSyntaxTree.ParseText(source, options);
        bool program = tree.GetCompilationUnitRoot().Members.Any(member => member.IsKind(Microsoft.CodeAnalysis.CSharp.SyntaxKind.GlobalStatement));
        Compilation compilation = CSharpCompilation.Create(
            "Snippet",
            [CSharpSyntaxTree.ParseText(Usings, options), tree],
            framework.Add(TestReferences.IommuRcu),
            new CSharpCompilationOptions(
                program ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
        ImmutableArray<Diagnostic> rules = await compilation.WithAnalyzers([new RcuDisciplineAnalyzer()]).GetAnalyzerDiagnosticsAsync();
        return compilation.GetDiagnostics().Where(each => each.Severity == DiagnosticSeverity.Error)
            .Concat(rules.Where(each => each.Severity >= DiagnosticSeverity.Warning))
            .Select(each => $"{snippet.Place}+{each.Location.GetMappedLineSpan().StartLinePosition.Line}: {each.Id}: {each.GetMessage(null)}");
    }
}
