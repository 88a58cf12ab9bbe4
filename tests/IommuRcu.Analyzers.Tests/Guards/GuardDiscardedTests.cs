// IRCU030: guards that are discarded where they are made.
namespace IommuRcu.Analyzers.Tests.Guards;

public sealed class GuardDiscardedTests
{
    [Fact]
    public Task Statement_Triggers() => RuleTest.Members("void M() { {|IRCU030:Rcu.ReadLock()|}; }");

    [Fact]
    public Task Discard_Triggers() => RuleTest.Members("void M() { _ = {|IRCU030:Rcu.ReadLock()|}; }");

    [Fact]
    public Task ThenWalk_Triggers() => RuleTest.Members("void M() { {|IRCU030:Rcu.ReadLock()|}; table.Walk(); }");

    [Fact]
    public Task OtherGuardType_Triggers() => RuleTest.Members("void M() { {|IRCU030:epoch.Open()|}; }");

    [Fact]
    public Task OtherGuardTypeDiscarded_Triggers() => RuleTest.Members("void M() { _ = {|IRCU030:epoch.Open()|}; }");

    [Fact]
    public Task InLoop_Triggers() => RuleTest.Members("void M(int n) { for (int i = 0; i < n; i++) { {|IRCU030:epoch.Open()|}; } }");

    [Fact]
    public Task InBranch_Triggers() => RuleTest.Members("void M(bool a) { if (a) { {|IRCU030:Rcu.ReadLock()|}; } }");

    [Fact]
    public Task InLambda_Triggers() => RuleTest.Members("void M() { Run.Later(() => { {|IRCU030:epoch.Open()|}; }); }");

    [Fact]
    public Task ExpressionBody_Triggers() => RuleTest.Members("void M() => {|IRCU030:epoch.Open()|};");

    [Fact]
    public Task ExpressionLambda_Triggers() => RuleTest.Members("void M() { Run.Later(() => {|IRCU030:epoch.Open()|}); }");

    [Fact]
    public Task InLocalFunction_Triggers() => RuleTest.Members("void M() { Local(); void Local() { {|IRCU030:Rcu.ReadLock()|}; } }");

    [Fact]
    public Task NullConditional_Triggers() => RuleTest.Members("void M(Epoch e) { e?{|IRCU030:.Open()|}; }");

    [Fact]
    public Task Using_DoesNotTrigger() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { table.Walk(); } }");

    [Fact]
    public Task UsingDeclaration_DoesNotTrigger() => RuleTest.Members("void M() { using var scope = Rcu.ReadLock(); table.Walk(); }");

    [Fact]
    public Task UsingDiscard_DoesNotTrigger() => RuleTest.Members("void M() { using var _ = Rcu.ReadLock(); table.Walk(); }");

    [Fact]
    public Task Local_DoesNotTrigger() => RuleTest.Members("void M() { var scope = epoch.Open(); try { epoch.Touch(); } finally { scope.Dispose(); } }");

    [Fact]
    public Task PairedCalls_DoesNotTrigger() => RuleTest.Members("void M() { epoch.Enter(); try { epoch.Touch(); } finally { epoch.Exit(); } }");

    [Fact]
    public Task Returned_DoesNotTrigger() => RuleTest.Members("[AcquiresReadLock(Domain = \"epoch\")] EpochScope M() => epoch.Open();");

    [Fact]
    public Task OtherDisposable_DoesNotTrigger() => RuleTest.Members("void M() { new CancellationTokenSource(); _ = new CancellationTokenSource(); }");

    [Fact]
    public Task TryEnter_DoesNotTrigger() => RuleTest.Members("void M() { if (epoch.TryEnter()) { epoch.Exit(); } }");

    [Fact]
    public Task TwoInOneUsing_DoesNotTrigger() => RuleTest.Members("void M(Epoch a, Epoch b) { using (a.Open()) using (b.Open()) { a.Touch(); b.Touch(); } }");

    [Fact]
    public Task AwaitInSleepable_DoesNotTrigger() => RuleTest.Members("async Task M(Sleepable s) { using (s.Open()) { await Task.Yield(); s.Touch(); } }");

    [Fact]
    public Task AssignedLater_DoesNotTrigger() => RuleTest.Members("""
        void M()
        {
            EpochScope scope;
            scope = epoch.Open();
            try { epoch.Touch(); } finally { scope.Dispose(); }
        }
        """);
}
