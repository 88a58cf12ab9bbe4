// Rules that are off by default: silent and not even listening until somebody switches them on, for a compilation, for all files, or for one.
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;

namespace IommuRcu.Analyzers.Tests;

public class OffByDefaultTests
{
    private const string Id = "IRCU025";

    private const string Text =
        """
        using IommuRcu;
        class Reader { object Read() { using (Rcu.ReadLock()) { Rcu.AssertReadLockHeld(); return new object(); } } }
        """;

    [Fact]
    public async Task Nobody_AskedForIt()
    {
        CSharpCompilation compilation = await CreateAsync(null);
        Assert.Empty(await FindAsync(compilation));
        Assert.False(AnalysisOf(compilation).WatchesAllocations);
        Assert.DoesNotContain(AnalysisOf(compilation).Rules, rule => rule.Descriptors.All(each => !each.IsEnabledByDefault));
    }

    [Fact]
    public async Task Compilation_AsksForIt()
    {
        CSharpCompilation compilation = await CreateAsync(null);
        compilation = compilation.WithOptions(compilation.Options.WithSpecificDiagnosticOptions([new(Id, ReportDiagnostic.Warn)]));
        Assert.Equal(["one.cs", "two.cs"], await FindAsync(compilation));
    }

    [Fact]
    public async Task AllFiles_AskForIt() => Assert.Equal(["one.cs", "two.cs"], await FindAsync(await CreateAsync(new Asking(null))));

    [Fact]
    public async Task OneFile_AsksForIt() => Assert.Equal(["two.cs"], await FindAsync(await CreateAsync(new Asking("two.cs"))));

    private static async Task<CSharpCompilation> CreateAsync(SyntaxTreeOptionsProvider? asking)
    {
        ImmutableArray<MetadataReference> framework = await ReferenceAssemblies.Default.ResolveAsync(LanguageNames.CSharp, default);
        return CSharpCompilation.Create(
            "Example",
            [CSharpSyntaxTree.ParseText(Text, path: "one.cs"), CSharpSyntaxTree.ParseText(Text.Replace("Reader", "Second", StringComparison.Ordinal), path: "two.cs")],
            framework.Add(TestReferences.IommuRcu),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary).WithSyntaxTreeOptionsProvider(asking));
    }

    private static async Task<IEnumerable<string>> FindAsync(Compilation compilation)
    {
        Assert.Empty(compilation.GetDiagnostics().Where(each => each.Severity == DiagnosticSeverity.Error));
        ImmutableArray<Diagnostic> found = await compilation.WithAnalyzers([new RcuDisciplineAnalyzer()]).GetAnalyzerDiagnosticsAsync();
        Assert.All(found, each => Assert.Equal(Id, each.Id));
        return found.Select(each => each.Location.SourceTree!.FilePath).Order(StringComparer.Ordinal);
    }

    private static CompilationAnalysis AnalysisOf(Compilation compilation) =>
        new(ContractMap.Create(compilation, ImmutableDictionary<ISymbol, MemberContracts>.Empty)!, new AnalyzerOptions([]), AnalysisSettings.Shipped);

    // As a global configuration, or an .editorconfig that holds for one file, says it.
    private sealed class Asking(string? file) : SyntaxTreeOptionsProvider
    {
        public override GeneratedKind IsGenerated(SyntaxTree tree, CancellationToken cancellationToken) => GeneratedKind.Unknown;

        public override bool TryGetDiagnosticValue(SyntaxTree tree, string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity)
        {
            severity = ReportDiagnostic.Warn;
            return diagnosticId == Id && tree.FilePath == file;
        }

        public override bool TryGetGlobalDiagnosticValue(string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity)
        {
            severity = ReportDiagnostic.Warn;
            return diagnosticId == Id && file is null;
        }
    }
}
