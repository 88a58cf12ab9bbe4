// Local functions and lambdas that are called in sight: what they are given, what they do to the caller's state.
namespace IommuRcu.Analyzers.Tests.Flow;

public sealed class NestedFunctionTests
{
    [Fact]
    public Task FreshPageFreedInLocalFunction_DoesNotTrigger() => RuleTest.Members("void M() { var page = pool.Allocate(); Drop(page); void Drop(Page p) => pool.Free(p); }");

    [Fact]
    public Task PublishedPageFreedInLocalFunction_Triggers() => RuleTest.Members("void M() { var page = pool.Allocate(); table.Link(1, page); Drop(page); void Drop(Page p) => {|IRCU040:pool.Free(p)|}; }");

    [Fact]
    public Task OneOfTwoCallersPublished_Triggers() => RuleTest.Members("void M() { var a = pool.Allocate(); var b = pool.Allocate(); table.Link(1, b); Drop(a); Drop(b); void Drop(Page p) => {|IRCU040:pool.Free(p)|}; }");

    [Fact]
    public Task FreedInLocalFunctionAndAgain_Triggers() => RuleTest.Members("void M() { var page = pool.Allocate(); Drop(page); {|IRCU043:pool.Free(page)|}; void Drop(Page p) => pool.Free(p); }");

    [Fact]
    public Task FreedInLambdaAndAgain_Triggers() => RuleTest.Members("void M() { var page = pool.Allocate(); Action<Page> drop = p => pool.Free(p); drop(page); {|IRCU043:pool.Free(page)|}; }");

    [Fact]
    public Task TwoPagesFreedInTurn_DoesNotTrigger() => RuleTest.Members("void M() { var a = pool.Allocate(); var b = pool.Allocate(); Drop(a); Drop(b); void Drop(Page p) => pool.Free(p); }");

    [Fact]
    public Task LocalFunctionAllocatesByOut_DoesNotTrigger() => RuleTest.Members("void M() { Make(out var page); pool.Free(page); void Make(out Page p) => p = pool.Allocate(); }");

    [Fact]
    public Task LocalFunctionReplacesByRef_DoesNotTrigger() => RuleTest.Members("void M() { var page = pool.Allocate(); table.Link(1, page); Replace(ref page); pool.Free(page); void Replace(ref Page p) { table.Remove(p); pool.Retire(p); p = pool.Allocate(); } }");

    [Fact]
    public Task LocalFunctionOpensAndAnotherCloses_DoesNotTrigger() => RuleTest.Members("void M() { Open(epoch); try { epoch.Touch(); } finally { Close(epoch); } void Open(Epoch e) => e.Enter(); void Close(Epoch e) => e.Exit(); }");

    [Fact]
    public Task LocalFunctionOpensAnotherReceiver_Triggers() => RuleTest.Members("void M(Epoch a, Epoch b) { Open(a); try { {|IRCU007:b.Touch()|}; } finally { a.Exit(); } void Open(Epoch e) => e.Enter(); }");

    [Fact]
    public Task RecursiveLocalFunction_DoesNotTrigger() => RuleTest.Members("void M(int n) { var page = pool.Allocate(); Down(page, n); void Down(Page p, int left) { if (left == 0) { pool.Free(p); return; } Down(p, left - 1); } }");

    [Fact]
    public Task LocalFunctionReturnsFreshPage_DoesNotTrigger() => RuleTest.Members("void M(bool a) { var page = Make(); pool.Free(page); Page Make() { if (a) { return pool.Allocate(); } var p = pool.Allocate(); p.Write(1); return p; } }");

    [Fact]
    public Task LocalFunctionReturnsPublishedPage_Triggers() => RuleTest.Members("void M() { var page = Make(); {|IRCU040:pool.Free(page)|}; Page Make() { var p = pool.Allocate(); table.Link(1, p); return p; } }");

    [Fact]
    public Task LocalFunctionReturnsGuardHeldInUsing_DoesNotTrigger() => RuleTest.Members("void M() { using (Open()) { epoch.Touch(); } [AcquiresReadLock(Domain = \"epoch\")] EpochScope Open() => epoch.Open(); }");

    [Fact]
    public Task AsyncLocalFunctionReturnsFreshPage_DoesNotTrigger() => RuleTest.Members("async Task M() { var page = await Make(); pool.Free(page); async Task<Page> Make() { await Task.Yield(); return pool.Allocate(); } }");

    [Fact]
    public Task FlagReturnedByLocalFunction_IsCorrelated() => RuleTest.Members("void M(bool a) { bool held = Take(); if (held) { epoch.Touch(); epoch.Exit(); } bool Take() { if (a) { epoch.Enter(); return true; } return false; } }");
}
