// IRCU090 to 093: contracts that mean nothing, and contract files.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;
using Microsoft.CodeAnalysis.Text;

namespace IommuRcu.Analyzers.Tests.Contracts;

public sealed class ContractTests
{
    [Fact]
    public Task UnknownDomain_Triggers() => RuleTest.Members("[{|IRCU090:RequiresReadLock(Domain = \"missing\")|}] void M() { }");

    [Fact]
    public Task UnknownLock_Triggers() => RuleTest.Members("[{|IRCU090:RequiresWriterLock(Lock = \"missing\")|}] void M() { }");

    [Fact]
    public Task WhenWithoutBool_Triggers() => RuleTest.Members("[{|IRCU090:AcquiresReadLock(When = true)|}] void M() { }");

    [Fact]
    public Task WhenParameterUnknown_Triggers() => RuleTest.Members("[{|IRCU090:AcquiresReadLock(When = true, WhenParameter = \"x\")|}] void M() { }");

    [Fact]
    public Task NoDelegate_Triggers() => RuleTest.Members("void M([{|IRCU090:RunsSynchronously|}] int x) { }");

    [Fact]
    public Task ScopeWithoutDispose_Triggers() => RuleTest.Source("using IommuRcu.Annotations; [{|IRCU090:ReadLockScope|}] struct S { }");

    [Fact]
    public Task Contradiction_Triggers() => RuleTest.Members("[{|IRCU090:MayHoldReadLock|}, RequiresReadLock] void M() { }");

    [Fact]
    public Task ValidContracts_DoesNotTrigger() => RuleTest.Members("""
        [RequiresReadLock(Domain = "epoch")] void A() { }
        [RequiresReadLock(Domain = "e")] void B(Epoch e) { }
        [AcquiresReadLock(When = true, WhenParameter = "taken")] void C(out bool taken) { taken = true; }
        void D([RunsSynchronously] Action a, [RunsAfterGracePeriod] Action<int> b) { }
        """);

    [Fact]
    public Task OverrideDemandsMore_Triggers() => RuleTest.Source("""
        using IommuRcu.Annotations;
        class B { public virtual void M() { } }
        class D : B { [{|IRCU091:RequiresReadLock|}] public override void M() { } }
        interface I { void N(); }
        class E : I { [{|IRCU091:MayBlock|}] public void N() { } }
        """);

    [Fact]
    public Task OverrideSame_DoesNotTrigger() => RuleTest.Source("""
        using IommuRcu.Annotations;
        class B { [RequiresReadLock] public virtual void M() { } }
        class D : B { [RequiresReadLock] public override void M() { } }
        class E : System.IDisposable { [WaitsForGracePeriod] public void Dispose() { } }
        """);

    [Fact]
    public Task UnsafeWithoutReason_Triggers() => RuleTest.Members("[{|IRCU092:RcuUnsafe(\"\")|}] void M() { } [{|IRCU092:RcuUnsafe(\" \")|}] void N() { }");

    [Fact]
    public Task UnsafeWithReason_DoesNotTrigger() => RuleTest.Members("[RcuUnsafe(\"start of the day\")] void M() { pool.Free(null); }");

    [Fact]
    public async Task ContractFile_Triggers()
    {
        var test = new RcuAnalyzerTest<RcuDisciplineAnalyzer>
        {
            TestCode = """
                class Legacy
                {
                    public void Enter() { } public void Exit() { } public int Walk(int i) => i;
                    public void Free(object page) { }
                    public object Make() => null;
                }
                class C
                {
                    void M(Legacy l, object p)
                    {
                        {|IRCU001:l.Walk(1)|};
                        l.Enter(); l.Walk(1); l.Exit();
                        {|IRCU040:l.Free(p)|};
                        l.Free(l.Make());
                    }
                }
                """,
        };
        test.TestState.AdditionalFiles.Add(("legacy.rcucontracts", """
            # a library that knows nothing of contracts
            acquires-read-lock M:Legacy.Enter
            releases-read-lock M:Legacy.Exit   # at the end
            requires-read-lock M:Legacy.Walk(System.Int32)~System.Int32
            frees M:Legacy.Free(System.Object) page
            unpublished M:Legacy.Make return
            [assembly NotReferenced]
            frees M:Nothing.Here page
            """));
        await test.RunAsync();
    }

    [Fact]
    public async Task BrokenContractFile_Triggers()
    {
        var test = new RcuAnalyzerTest<RcuDisciplineAnalyzer> { TestCode = "class C { public void M(object page) { } }" };
        test.TestState.AdditionalFiles.Add(("broken.rcucontracts", """
            nonsense M:C.M(System.Object)
            frees M:C.Missing
            frees M:C.M(System.Object) nobody
            frees C.M
            frees M:C.M(System.Object) page colour=red
            rcu-unsafe M:C.M(System.Object)
            requires-read-lock M:C.M(System.Object) domain=T:Not.There
            """));
        for (int line = 1; line <= 7; line++)
        {
            test.ExpectedDiagnostics.Add(new DiagnosticResult("IRCU093", Microsoft.CodeAnalysis.DiagnosticSeverity.Warning).WithLocation("broken.rcucontracts", line, 1));
        }

        await test.RunAsync();
    }

    // One file serves those who build the assembly and those who refer to it, who do not see what it keeps to itself.
    [Fact]
    public async Task ContractFileOfAnAssembly_SpeaksOfInternalsThatItsUsersDoNotSee()
    {
        ImmutableArray<MetadataReference> framework = await ReferenceAssemblies.Default.ResolveAsync(LanguageNames.CSharp, default);
        framework = framework.Add(TestReferences.IommuRcu);
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary);
        var vendor = CSharpCompilation.Create("Vendor", [CSharpSyntaxTree.ParseText("internal class Inner { internal void Walk() { } }")], framework, options);
        using var image = new MemoryStream();
        Assert.True(vendor.Emit(image).Success);
        var user = CSharpCompilation.Create("User", [CSharpSyntaxTree.ParseText("class C { }")], framework.Add(MetadataReference.CreateFromImage(image.ToArray())), options);

        const string Lines = "[assembly Vendor]\nrequires-read-lock M:Inner.Walk\nrequires-read-lock M:Inner.Gone\nrequires-read-lock M:Nobody.Walk";
        int[] ofUser = await LinesNotUnderstood(user, Lines);
        int[] ofVendor = await LinesNotUnderstood(vendor, Lines);
        int[] withoutHeader = await LinesNotUnderstood(user, "requires-read-lock M:Inner.Walk");
        Assert.Equal([3, 4], ofUser);
        Assert.Equal([3, 4], ofVendor);
        Assert.Equal([1], withoutHeader);
    }

    private static async Task<int[]> LinesNotUnderstood(Compilation compilation, string contracts)
    {
        ImmutableArray<Diagnostic> found = await compilation
            .WithAnalyzers([new RcuDisciplineAnalyzer()], new AnalyzerOptions([new ContractText(contracts)]))
            .GetAnalyzerDiagnosticsAsync();
        return [.. found.Where(static d => d.Id == "IRCU093").Select(static d => d.Location.GetLineSpan().StartLinePosition.Line + 1).Order()];
    }

    private sealed class ContractText(string text) : AdditionalText
    {
        public override string Path => "vendor.rcucontracts";

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text);
    }
}
