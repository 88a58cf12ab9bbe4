// IRCU060, 064, 065: what reclaim callbacks do, and what is disposed under them.
namespace IommuRcu.Analyzers.Tests.Callbacks;

public sealed class ReclaimCallbackTests
{
    [Fact]
    public Task WaitsInLambda_Triggers() => RuleTest.Members("void M(Page page) { Run.Reclaim(page, p => {|IRCU060:Rcu.Synchronize()|}); }");

    [Fact]
    public Task WaitsInMethodGroup_Triggers() => RuleTest.Members("void M(Page page) { Run.Reclaim(page, Done); } private void Done(Page page) { {|IRCU060:Rcu.Barrier()|}; }");

    [Fact]
    public Task SleepsInLambda_Triggers() => RuleTest.Members("void M(Page page) { Rcu.Call(page, static p => {|IRCU060:Thread.Sleep(1)|}); }");

    [Fact]
    public Task WaitsInAnnotatedMethod_Triggers() => RuleTest.Members("[RunsAfterGracePeriod] void M(Page page) { {|IRCU060:Rcu.Synchronize()|}; }");

    [Fact]
    public Task BlocksByContract_Triggers() => RuleTest.Members("void M(Page page) { Run.Reclaim(page, p => {|IRCU060:table.Flush()|}); }");

    [Fact]
    public Task Frees_DoesNotTrigger() => RuleTest.Members("void M(Page page) { Run.Reclaim(page, p => pool.Free(p)); }");

    [Fact]
    public Task WaitsInOtherLambda_DoesNotTrigger() => RuleTest.Members("void M() { Run.Later(() => Rcu.Synchronize()); }");

    [Fact]
    public Task ShortLock_DoesNotTrigger() => RuleTest.Members("void M(Page page) { Run.Reclaim(page, p => { lock (this) { pool.Free(p); } }); }");

    [Fact]
    public Task DisposedAfterRetire_Triggers() => RuleTest.Members("void M(Page page) { pool.Retire(page); {|IRCU064:pool.Dispose()|}; }");

    [Fact]
    public Task DisposedAfterCapture_Triggers() => RuleTest.Members("void M(Page page, Pool other) { Run.Reclaim(page, p => other.Free(p)); {|IRCU064:other.Dispose()|}; }");

    [Fact]
    public Task DisposedAfterFieldCapture_Triggers() => RuleTest.Members("void M(Page page) { Run.Reclaim(page, p => pool.Free(p)); {|IRCU064:pool.Dispose()|}; }");

    [Fact]
    public Task DisposedAfterState_Triggers() => RuleTest.Members("void M(Page page, Pool other) { Rcu.Call((other, page), static s => s.other.Free(s.page)); {|IRCU064:other.Dispose()|}; }");

    [Fact]
    public Task SynchronizeOnly_Triggers() => RuleTest.Members("void M(Page page) { pool.Retire(page); {|IRCU065:Rcu.Synchronize()|}; pool.Dispose(); }");

    [Fact]
    public Task DisposedAfterBarrier_DoesNotTrigger() => RuleTest.Members("void M(Page page) { pool.Retire(page); Rcu.Barrier(); pool.Dispose(); }");

    [Fact]
    public Task OtherPoolDisposed_DoesNotTrigger() => RuleTest.Members("void M(Page page, Pool a, Pool b) { a.Retire(page); b.Dispose(); }");

    [Fact]
    public Task NothingQueued_DoesNotTrigger() => RuleTest.Members("void M() { pool.Dispose(); }");

    [Fact]
    public Task DisposedOnOtherBranch_DoesNotTrigger() => RuleTest.Members("void M(Page page, bool a) { if (a) { pool.Retire(page); } else { pool.Dispose(); } }");
}
