// Runs a rule test in a workspace.
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;

namespace IommuRcu.Analyzers.Tests;

internal static partial class RuleTest
{
    /// <summary>Checks a whole source by its markup.</summary>
    /// <param name="source">The source, with markup.</param>
    internal static Task Source(string source)
    {
        var test = new StrictTest { TestCode = source };
        test.TestState.Sources.Add(World);
        test.DisabledDiagnostics.AddRange(_notOfInterest);
        test.SolutionTransforms.Add(static (solution, id) => solution.WithProjectCompilationOptions(
            id, ((Microsoft.CodeAnalysis.CSharp.CSharpCompilationOptions)solution.GetProject(id)!.CompilationOptions!).WithAllowUnsafe(true)));
        test.CompilerDiagnostics = CompilerDiagnostics.Errors;
        return test.RunAsync();
    }

    /// <summary>Does not let an error of the analysis itself pass as a body that is not analysed.</summary>
    private sealed class StrictTest : RcuAnalyzerTest<RcuDisciplineAnalyzer>
    {
        protected override IEnumerable<DiagnosticAnalyzer> GetDiagnosticAnalyzers()
            => [new RcuDisciplineAnalyzer(new AnalysisSettings { ThrowsOnInternalError = true })];
    }
}
