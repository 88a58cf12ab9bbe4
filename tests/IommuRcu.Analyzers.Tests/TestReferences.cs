// The one place that says what a test compiles against: the local framework, and the runtime whose contracts the analyzers read.
using IommuRcu.Annotations;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;

namespace IommuRcu.Analyzers.Tests;

internal static class TestReferences
{
    internal static MetadataReference IommuRcu { get; } =
        MetadataReference.CreateFromFile(typeof(RequiresReadLockAttribute).Assembly.Location);

    /// <summary>Lets a test's sources use the runtime.</summary>
    internal static void AddIommuRcu<TVerifier>(AnalyzerTest<TVerifier> test)
        where TVerifier : IVerifier, new()
    {
        test.ReferenceAssemblies = ReferenceAssemblies.Net.Net100;
        test.TestState.AdditionalReferences.Add(IommuRcu);
    }
}

/// <summary>A test of one analyzer on code that uses the runtime.</summary>
internal class RcuAnalyzerTest<TAnalyzer> : CSharpAnalyzerTest<TAnalyzer, DefaultVerifier>
    where TAnalyzer : DiagnosticAnalyzer, new()
{
    public RcuAnalyzerTest() => TestReferences.AddIommuRcu(this);

    /// <summary>Checks that a source, by its markup, is reported where it says and nowhere else.</summary>
    internal static Task VerifyAsync(string source, params DiagnosticResult[] expected)
    {
        var test = new RcuAnalyzerTest<TAnalyzer> { TestCode = source };
        test.ExpectedDiagnostics.AddRange(expected);
        return test.RunAsync();
    }
}

/// <summary>A test of one code fix on code that uses the runtime.</summary>
internal class RcuCodeFixTest<TAnalyzer, TCodeFix> : CSharpCodeFixTest<TAnalyzer, TCodeFix, DefaultVerifier>
    where TAnalyzer : DiagnosticAnalyzer, new()
    where TCodeFix : CodeFixProvider, new()
{
    public RcuCodeFixTest() => TestReferences.AddIommuRcu(this);

    /// <summary>Checks one fix by itself and by FixAll.</summary>
    internal static Task VerifyAsync(string source, string fixedSource, int codeActionIndex = 0)
    {
        return new RcuCodeFixTest<TAnalyzer, TCodeFix>
        {
            TestCode = source,
            FixedCode = fixedSource,
            CodeActionIndex = codeActionIndex,
        }.RunAsync();
    }
}
