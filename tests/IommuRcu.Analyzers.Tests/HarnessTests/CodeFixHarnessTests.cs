// The harness of code fixes: each fix alone and by FixAll, the text it must leave, and failures where the result is another.
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Testing;
using Verify = Microsoft.CodeAnalysis.CSharp.Testing.CSharpCodeFixVerifier<
    IommuRcu.Analyzers.Tests.HarnessTests.ToyAnalyzer,
    IommuRcu.Analyzers.Tests.HarnessTests.ToyFixer,
    Microsoft.CodeAnalysis.Testing.DefaultVerifier>;

namespace IommuRcu.Analyzers.Tests.HarnessTests;

public class CodeFixHarnessTests
{
    [Theory]
    [InlineData("class [|small|] { }", "class Small { }")]
    [InlineData("class [|first|] { } class [|second|] { }", "class First { } class Second { }")]
    [InlineData("class Fine { }", "class Fine { }")]
    public Task FixThatIsRight_Passes(string source, string fixedSource) => Verify.VerifyCodeFixAsync(source, fixedSource);

    [Theory]
    [InlineData("class [|small|] { }", "class Other { }")]
    [InlineData("class [|small|] { }", "class [|small|] { }")]
    [InlineData("class [|small|] { }", "class {|CS0246:Small|} { }")]
    [InlineData("class [|first|] { } class [|second|] { }", "class First { } class [|second|] { }")]
    public async Task FixThatIsWrong_Fails(string source, string fixedSource) =>
        await Assert.ThrowsAsync<InvalidOperationException>(() => Verify.VerifyCodeFixAsync(source, fixedSource));

    [Fact]
    public Task ExplicitResult_IsCompared() => Verify.VerifyCodeFixAsync(
        "class {|#0:small|} { }", Verify.Diagnostic().WithLocation(0).WithArguments("small"), "class Small { }");

    [Fact]
    public async Task SecondAction_IsChosenByIndexOrKey()
    {
        await new CSharpCodeFixTest<ToyAnalyzer, ToyFixer, DefaultVerifier>
        {
            TestCode = "class [|small|] { }",
            FixedCode = "class MySmall { }",
            CodeActionIndex = 1,
        }.RunAsync();
        await new CSharpCodeFixTest<ToyAnalyzer, ToyFixer, DefaultVerifier>
        {
            TestCode = "class [|small|] { }",
            FixedCode = "class MySmall { }",
            CodeActionEquivalenceKey = "capitalMy",
        }.RunAsync();
    }

    [Fact]
    public async Task SeveralDocuments_AreFixedByEveryScope()
    {
        var test = new CSharpCodeFixTest<ToyAnalyzer, ToyFixer, DefaultVerifier>
        {
            TestState = { Sources = { "class [|one|] { } class [|two|] { }", "class [|three|] { }" } },
            FixedState = { Sources = { "class One { } class Two { }", "class Three { }" } },
            NumberOfIncrementalIterations = 3,
            NumberOfFixAllIterations = 1,
            NumberOfFixAllInDocumentIterations = 2,
        };
        await test.RunAsync();
        test.NumberOfFixAllInDocumentIterations = 1;
        await Assert.ThrowsAsync<InvalidOperationException>(() => test.RunAsync());
    }

    [Fact]
    public async Task BatchResult_MayDiffer()
    {
        var test = new CSharpCodeFixTest<ToyAnalyzer, ToyFixer, DefaultVerifier>
        {
            TestCode = "class [|small|] { }",
            FixedCode = "class Small { }",
            BatchFixedCode = "class Other { }",
        };
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => test.RunAsync());
        Assert.Contains("Fix all in Document", failure.Message, StringComparison.Ordinal);
    }
}
