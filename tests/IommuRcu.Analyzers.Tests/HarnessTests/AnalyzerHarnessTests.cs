// The harness itself: it passes on what is expected, and fails on a diagnostic that is missing, extra, elsewhere or different.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Testing;
using Verify = Microsoft.CodeAnalysis.CSharp.Testing.CSharpAnalyzerVerifier<
    IommuRcu.Analyzers.Tests.HarnessTests.ToyAnalyzer, Microsoft.CodeAnalysis.Testing.DefaultVerifier>;

namespace IommuRcu.Analyzers.Tests.HarnessTests;

public class AnalyzerHarnessTests
{
    [Theory]
    [InlineData("class Fine { }")]
    [InlineData("class [|small|] { }")]
    [InlineData("class {|TOY1:small|} { }")]
    [InlineData("class $$[|small|] { }")]
    [InlineData("class Fine { {|CS0246:Missing|} _field; }")]
    [InlineData("class [|first|] { } class [|second|] { }")]
    public Task MarkupThatIsRight_Passes(string source) => Verify.VerifyAnalyzerAsync(source);

    [Theory]
    [InlineData("class [|Fine|] { }", "missing:")]
    [InlineData("class small { }", "unexpected:")]
    [InlineData("[|class|] small { }", "the place differs")]
    [InlineData("class {|TOY2:small|} { }", "missing:")]
    [InlineData("class [|small|] { } class other { }", "'other'")]
    [InlineData("class Fine { Missing _field; }", "CS0246")]
    [InlineData("class crash { }", "AD0001")]
    public async Task MarkupThatIsWrong_Fails(string source, string reason)
    {
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => Verify.VerifyAnalyzerAsync(source));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("class small { |] }")]
    [InlineData("class [|small { }")]
    [InlineData("class [|small|} { }")]
    public async Task MarkupThatDoesNotClose_Fails(string source) =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => Verify.VerifyAnalyzerAsync(source));

    [Fact]
    public async Task ExplicitResultThatIsRight_Passes()
    {
        await Verify.VerifyAnalyzerAsync("class small { }", Verify.Diagnostic().WithSpan(1, 7, 1, 12).WithArguments("small"));
        await Verify.VerifyAnalyzerAsync("class small { }", Verify.Diagnostic("TOY1").WithLocation(1, 7).WithArguments("small"));
        await Verify.VerifyAnalyzerAsync(
            "class {|#0:small|} { }", Verify.Diagnostic(ToyAnalyzer.Rule).WithLocation(0).WithArguments("small"));
        await Verify.VerifyAnalyzerAsync(
            "class {|#0:small|} { }",
            new DiagnosticResult("TOY1", DiagnosticSeverity.Warning)
                .WithLocation(0)
                .WithMessage("Class 'small' begins with a small letter"));
        await Verify.VerifyAnalyzerAsync("class small { }", Verify.Diagnostic().WithSpan("/0/Test0.cs", 1, 7, 1, 12).WithMessage(null));
    }

    [Fact]
    public async Task ExplicitResultThatIsWrong_Fails()
    {
        DiagnosticResult right = Verify.Diagnostic().WithLocation(0).WithArguments("small");
        DiagnosticResult[] wrong =
        [
            right.WithArguments("other"),
            right.WithMessage("other"),
            right.WithSeverity(DiagnosticSeverity.Error),
            right.WithLocation(0),
            Verify.Diagnostic().WithLocation(1, 8).WithArguments("small"),
            Verify.Diagnostic().WithSpan(1, 7, 1, 11).WithArguments("small"),
            Verify.Diagnostic().WithSpan("/0/Test1.cs", 1, 7, 1, 12).WithArguments("small"),
            Verify.Diagnostic().WithArguments("small"),
            Verify.Diagnostic().WithLocation(0),
            Verify.Diagnostic().WithLocation(1).WithArguments("small"),
        ];
        await Verify.VerifyAnalyzerAsync("class {|#0:small|} { }", right);
        foreach (DiagnosticResult result in wrong)
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => Verify.VerifyAnalyzerAsync("class {|#0:small|} { }", result));
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => Verify.VerifyAnalyzerAsync("class {|#0:small|} { }", right, right));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Verify.VerifyAnalyzerAsync("class {|#0:small|} { }"));
    }

    [Fact]
    public async Task ConfigurationFile_SetsSeverity()
    {
        var test = new CSharpAnalyzerTest<ToyAnalyzer, DefaultVerifier> { TestCode = "class {|#0:small|} { }" };
        test.TestState.AnalyzerConfigFiles.Add(("/.editorconfig", "root = true\n[*.cs]\ndotnet_diagnostic.TOY1.severity = error\n"));
        test.ExpectedDiagnostics.Add(Verify.Diagnostic().WithSeverity(DiagnosticSeverity.Error).WithLocation(0).WithArguments("small"));
        await test.RunAsync();
    }

    [Fact]
    public async Task DisabledDiagnostic_IsNotReported()
    {
        var test = new CSharpAnalyzerTest<ToyAnalyzer, DefaultVerifier> { TestCode = "class small { }" };
        test.DisabledDiagnostics.Add("TOY1");
        await test.RunAsync();
    }

    [Fact]
    public async Task SeveralSourcesAndProjects_AreAllCompiled()
    {
        var test = new CSharpAnalyzerTest<ToyAnalyzer, DefaultVerifier>
        {
            TestState =
            {
                Sources =
                {
                    "class Uses { Other _other; Far _far; }",
                    "class Other { } class [|small|] { }",
                    ("/named.cs", "class [|named|] { }"),
                },
                AdditionalProjectReferences = { "Library" },
                AdditionalProjects = { ["Library"] = { Sources = { "public class Far { }" } } },
            },
        };
        await test.RunAsync();
    }

    [Fact]
    public Task RuntimeContracts_CanBeReferenced() => RcuAnalyzerTest<ToyAnalyzer>.VerifyAsync(
        """
        using IommuRcu.Annotations;
        class Walker
        {
            [RequiresReadLock] void Walk() { }
        }
        """);
}
