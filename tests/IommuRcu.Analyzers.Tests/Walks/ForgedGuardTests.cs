// IRCU007, 008, 009, 012: other domains, some paths only, forged guards, stale bounds.
namespace IommuRcu.Analyzers.Tests.Walks;

public sealed class ForgedGuardTests
{
    [Fact]
    public Task OtherInstance_Triggers() => RuleTest.Members("void M(Epoch a, Epoch b) { a.Enter(); try { {|IRCU007:b.Touch()|}; } finally { a.Exit(); } }");

    [Fact]
    public Task OtherType_Triggers() => RuleTest.Members("void M() { epoch.Enter(); try { {|IRCU007:table.Walk()|}; } finally { epoch.Exit(); } }");

    [Fact]
    public Task OtherField_Triggers() => RuleTest.Members("Epoch second = new(); void M() { using (epoch.Open()) { {|IRCU007:second.Touch()|}; } }");

    [Fact]
    public Task SameThroughAlias_DoesNotTrigger() => RuleTest.Members("void M() { var e = epoch; using (e.Open()) { epoch.Touch(); } }");

    [Fact]
    public Task UnknownInstances_DoesNotTrigger() => RuleTest.Members("Epoch Get() => epoch; void M() { using (Get().Open()) { Get().Touch(); } }");

    [Fact]
    public Task BothOpen_DoesNotTrigger() => RuleTest.Members("void M(Epoch a, Epoch b) { using (a.Open()) using (b.Open()) { a.Touch(); b.Touch(); } }");

    [Fact]
    public Task OneBranchOnly_Triggers() => RuleTest.Members("void M(bool a) { if (a) { epoch.Enter(); } {|IRCU008:epoch.Touch()|}; if (a) { epoch.Exit(); } }");

    [Fact]
    public Task OpaqueBranch_Triggers() => RuleTest.Members("void M() { if (Console.Read() > 0) { {|IRCU033:epoch.Enter()|}; } {|IRCU008:epoch.Touch()|}; }");

    [Fact]
    public Task ClosedOnOneBranch_Triggers() => RuleTest.Members("void M(bool a) { epoch.Enter(); if (a) { epoch.Exit(); } {|IRCU008:epoch.Touch()|}; if (!a) { epoch.Exit(); } }");

    [Fact]
    public Task Correlated_DoesNotTrigger() => RuleTest.Members("void M(bool a) { if (a) { epoch.Enter(); } if (a) { epoch.Touch(); } if (a) { epoch.Exit(); } }");

    [Fact]
    public Task Default_Triggers() => RuleTest.Members("void M() { EpochScope scope = {|IRCU009:default|}; }");

    [Fact]
    public Task New_Triggers() => RuleTest.Members("void M() { var scope = {|IRCU009:new EpochScope()|}; }");

    [Fact]
    public Task ConditionalDefault_Triggers() => RuleTest.Members("void M(bool c) { using var scope = c ? epoch.Open() : {|IRCU009:default|}; }");

    [Fact]
    public Task DefaultAsArgument_Triggers() => RuleTest.Members("void N(in EpochScope scope) { } void M() { N({|IRCU009:default(EpochScope)|}); }");

    [Fact]
    public Task InertDefault_DoesNotTrigger() => RuleTest.Source("""
        using IommuRcu.Annotations;
        [ReadLockScope(DefaultIsInert = true)] struct S { public void Dispose() { } }
        class C { void M() { S s = default; var t = new S(); } }
        """);

    [Fact]
    public Task InOpener_DoesNotTrigger() => RuleTest.Members("[AcquiresReadLock] EpochScope M() => default;");

    [Fact]
    public Task OtherDefault_DoesNotTrigger() => RuleTest.Members("void M() { int i = default; Page p = default; DateTime d = default; }");

    private const string Ring = "[RcuBound] int count; [RequiresReadLock(DomainType = typeof(Rcu))] int At(int i) => i;\n";

    [Fact]
    public Task BoundInLoop_Triggers() => RuleTest.Members(Ring + "void M() { int n = count; using (Rcu.ReadLock()) { for (int i = 0; i < n; i++) { {|IRCU012:At(i)|}; } } }");

    [Fact]
    public Task BoundAsArgument_Triggers() => RuleTest.Members(Ring + "int M() { int last = count; using (Rcu.ReadLock()) { return {|IRCU012:At(last)|}; } }");

    [Fact]
    public Task BoundComputedFrom_Triggers() => RuleTest.Members(Ring + "int M() { int last = count - 1; using (Rcu.ReadLock()) { return {|IRCU012:At(last)|}; } }");

    [Fact]
    public Task BoundOfEarlierSection_Triggers() => RuleTest.Members(Ring + "int M() { int n; using (Rcu.ReadLock()) { n = count; } using (Rcu.ReadLock()) { return {|IRCU012:At(n)|}; } }");

    [Fact]
    public Task BoundReadInside_DoesNotTrigger() => RuleTest.Members(Ring + "void M() { using (Rcu.ReadLock()) { int n = count; for (int i = 0; i < n; i++) { At(i); } } }");

    [Fact]
    public Task BoundNotUsed_DoesNotTrigger() => RuleTest.Members(Ring + "int M() { int n = count; using (Rcu.ReadLock()) { At(0); } return n; }");

    [Fact]
    public Task BoundTestedOutside_DoesNotTrigger() => RuleTest.Members(Ring + "void M() { if (count == 0) { return; } using (Rcu.ReadLock()) { At(0); } }");
}
