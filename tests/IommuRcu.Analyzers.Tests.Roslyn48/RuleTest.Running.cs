// Runs a rule test on the compiler alone: it needs no workspace.
using System.Collections.Immutable;
using IommuRcu.Annotations;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;

namespace IommuRcu.Analyzers.Tests;

internal static class TestReferences
{
    internal static MetadataReference IommuRcu { get; } = MetadataReference.CreateFromFile(typeof(RequiresReadLockAttribute).Assembly.Location);
}

internal static partial class RuleTest
{
    /// <summary>Checks a whole source by its markup.</summary>
    /// <param name="source">The source, with markup.</param>
    internal static async Task Source(string source)
    {
        (string text, List<TestMarkup.Mark> marks) = TestMarkup.Parse(source, keepPositionIndicators: false);
        var options = new CSharpParseOptions(LanguageVersion.Latest);
        SyntaxTree tree = CSharpSyntaxTree.ParseText(text, options, "Test0.cs");
        ImmutableArray<MetadataReference> framework = await ReferenceAssemblies.Default.ResolveAsync(LanguageNames.CSharp, default);
        var compilation = CSharpCompilation.Create(
            "TestProject",
            [tree, CSharpSyntaxTree.ParseText(World, options, "World.cs")],
            framework.Add(TestReferences.IommuRcu),
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));
        Assert.Empty(compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));
        ImmutableArray<Diagnostic> reported = await compilation.WithAnalyzers([new RcuDisciplineAnalyzer(new AnalysisSettings { ThrowsOnInternalError = true })]).GetAnalyzerDiagnosticsAsync();
        Assert.Equal(
            marks.Select(mark => $"{mark.Span} {mark.Name}").Order(StringComparer.Ordinal),
            reported.Where(diagnostic => !_notOfInterest.Contains(diagnostic.Id)).Select(diagnostic => $"{diagnostic.Location.SourceSpan} {diagnostic.Id}").Order(StringComparer.Ordinal));
    }
}
