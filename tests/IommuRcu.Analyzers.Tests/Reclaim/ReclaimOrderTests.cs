// IRCU041 to 045: the order of a free, and gathers.
namespace IommuRcu.Analyzers.Tests.Reclaim;

public sealed class ReclaimOrderTests
{
    [Fact]
    public Task RetireGathered_Triggers() => RuleTest.Members("void M(Page page, ref Gather g) { g.Add(page); {|IRCU041:pool.Retire(page)|}; }");

    [Fact]
    public Task FreeGathered_Triggers() => RuleTest.Members("void M(Page page, ref Gather g) { table.Remove(page); g.Add(page); {|IRCU041:pool.Free(page)|}; }");

    [Fact]
    public Task FreeGatheredAfterWait_Triggers() => RuleTest.Members("void M(Page page, ref Gather g) { table.Remove(page); g.Add(page); Rcu.Synchronize(); {|IRCU041:pool.Free(page)|}; }");

    [Fact]
    public Task OtherGatherSynced_Triggers() => RuleTest.Members("void M(Page page, ref Gather g, ref Gather h) { g.Add(page); h.Sync(); {|IRCU041:pool.Retire(page)|}; }");

    [Fact]
    public Task Synced_DoesNotTrigger() => RuleTest.Members("void M(Page page, ref Gather g) { table.Remove(page); g.Add(page); g.Sync(); }");

    [Fact]
    public Task UsingGather_DoesNotTrigger() => RuleTest.Members("void M(Page page) { using var g = new Gather(table); table.Remove(page); g.Add(page); }");

    [Fact]
    public Task RetireLinked_Triggers() => RuleTest.Members("void M() { var page = pool.Allocate(); table.Link(1, page); {|IRCU042:pool.Retire(page)|}; }");

    [Fact]
    public Task GatherLinked_Triggers() => RuleTest.Members("void M(ref Gather g) { var page = pool.Allocate(); table.Link(1, page); {|IRCU042:g.Add(page)|}; }");

    [Fact]
    public Task RetireLinkedOnOneBranch_Triggers() => RuleTest.Members("void M(bool a) { var page = pool.Allocate(); table.Link(1, page); if (a) { table.Remove(page); } {|IRCU042:pool.Retire(page)|}; }");

    [Fact]
    public Task RetireUnlinked_DoesNotTrigger() => RuleTest.Members("void M() { var page = pool.Allocate(); table.Link(1, page); table.Remove(page); pool.Retire(page); }");

    [Fact]
    public Task RetireUnknown_DoesNotTrigger() => RuleTest.Members("void M(Page page) { pool.Retire(page); }");

    [Fact]
    public Task RetireLoser_DoesNotTrigger() => RuleTest.Members("void M() { var page = pool.Allocate(); if (!table.TryLink(1, page)) { pool.Retire(page); } }");

    [Fact]
    public Task FreeTwice_Triggers() => RuleTest.Members("void M() { var page = pool.Allocate(); pool.Free(page); {|IRCU043:pool.Free(page)|}; }");

    [Fact]
    public Task RetireTwice_Triggers() => RuleTest.Members("void M(Page page) { pool.Retire(page); {|IRCU043:pool.Retire(page)|}; }");

    [Fact]
    public Task FreeAfterRetire_Triggers() => RuleTest.Members("void M(Page page) { pool.Retire(page); {|IRCU043:pool.Free(page)|}; }");

    [Fact]
    public Task FreeAliasTwice_Triggers() => RuleTest.Members("void M() { var page = pool.Allocate(); var other = page; pool.Free(page); {|IRCU043:pool.Free(other)|}; }");

    [Fact]
    public Task FreeInLoop_Triggers() => RuleTest.Members("void M(int n) { var page = pool.Allocate(); for (int i = 0; i < n; i++) { {|IRCU043:pool.Free(page)|}; } }");

    [Fact]
    public Task FreeOnBranchThenAlways_Triggers() => RuleTest.Members("void M(bool a) { var page = pool.Allocate(); if (a) { pool.Free(page); } {|IRCU043:pool.Free(page)|}; }");

    [Fact]
    public Task FreeInCatchAndAfter_Triggers() => RuleTest.Members("void M() { var page = pool.Allocate(); try { Console.WriteLine(); } catch { pool.Free(page); } {|IRCU043:pool.Free(page)|}; }");

    [Fact]
    public Task RetireAfterSync_Triggers() => RuleTest.Members("void M(Page page, ref Gather g) { g.Add(page); g.Sync(); {|IRCU043:pool.Retire(page)|}; }");

    [Fact]
    public Task FreeOnExclusiveBranches_DoesNotTrigger() => RuleTest.Members("void M(bool a) { var page = pool.Allocate(); if (a) { pool.Free(page); } if (!a) { pool.Free(page); } }");

    [Fact]
    public Task FreeOnceThenNull_DoesNotTrigger() => RuleTest.Members("void M(bool a) { var page = pool.Allocate(); if (a) { pool.Free(page); page = null; } if (page != null) { pool.Free(page); } }");

    [Fact]
    public Task FreshEachTurn_DoesNotTrigger() => RuleTest.Members("void M(int n) { for (int i = 0; i < n; i++) { var page = pool.Allocate(); pool.Free(page); } }");

    [Fact]
    public Task ForeachFreesEach_DoesNotTrigger() => RuleTest.Members("void M(Page[] pages) { Rcu.Barrier(); foreach (var page in pages) { table.Remove(page); pool.Retire(page); } }");

    [Fact]
    public Task SwitchArms_DoesNotTrigger() => RuleTest.Members("void M(int kind) { var page = pool.Allocate(); switch (kind) { case 0: pool.Free(page); break; case 1: pool.Free(page); break; } if (kind == 2) { pool.Free(page); } }");

    [Fact]
    public Task ReadAfterFree_Triggers() => RuleTest.Members("int M() { var page = pool.Allocate(); pool.Free(page); return {|IRCU044:page|}.Order; }");

    [Fact]
    public Task CallAfterRetire_Triggers() => RuleTest.Members("void M(Page page) { pool.Retire(page); {|IRCU044:page|}.Write(1); }");

    [Fact]
    public Task PassedAfterGather_Triggers() => RuleTest.Members("void M(Page page, ref Gather g) { g.Add(page); Console.WriteLine({|IRCU044:page|}); }");

    [Fact]
    public Task LinkedAfterRetire_Triggers() => RuleTest.Members("void M(Page page) { pool.Retire(page); table.Link(1, {|IRCU044:page|}); }");

    [Fact]
    public Task WrittenAfterFree_Triggers() => RuleTest.Members("void M() { var page = pool.Allocate(); pool.Free(page); {|IRCU044:page|}.Order = 1; }");

    [Fact]
    public Task UsedInSectionThatPredates_DoesNotTrigger() => RuleTest.Members("void M(Page page) { using (Rcu.ReadLock()) { pool.Retire(page); page.Write(1); } }");

    [Fact]
    public Task UsedBefore_DoesNotTrigger() => RuleTest.Members("void M(Page page) { page.Write(1); pool.Retire(page); }");

    [Fact]
    public Task ReusedVariable_DoesNotTrigger() => RuleTest.Members("void M(Page page) { pool.Retire(page); page = pool.Allocate(); page.Write(1); }");

    [Fact]
    public Task NullTestAfter_DoesNotTrigger() => RuleTest.Members("bool M(Page page) { pool.Retire(page); return page != null; }");

    [Fact]
    public Task GatherNotSynced_Triggers() => RuleTest.Members("void M(Page page) { var g = {|IRCU045:new Gather(table)|}; g.Add(page); }");

    [Fact]
    public Task GatherNotSyncedOnReturn_Triggers() => RuleTest.Members("void M(Page page, bool a) { var g = {|IRCU045:new Gather(table)|}; g.Add(page); if (a) { return; } g.Sync(); }");

    [Fact]
    public Task GatherNotSyncedOnOpaqueBranch_Triggers() => RuleTest.Members("void M() { var g = {|IRCU045:new Gather(table)|}; g.Unmap(1); if (Console.Read() > 0) { g.Sync(); } }");

    [Fact]
    public Task GatherLentAndForgotten_Triggers() => RuleTest.Members("void Lend(ref Gather g) { } void M() { var g = {|IRCU045:new Gather(table)|}; Lend(ref g); }");

    [Fact]
    public Task GatherSyncedInFinally_DoesNotTrigger() => RuleTest.Members("void M(Page page) { var g = new Gather(table); try { g.Add(page); } finally { g.Sync(); } }");

    [Fact]
    public Task GatherUnused_DoesNotTrigger() => RuleTest.Members("void M() { var g = new Gather(table); }");

    [Fact]
    public Task GatherReturned_DoesNotTrigger() => RuleTest.Members("Gather M(Page page) { var g = new Gather(table); g.Add(page); return g; }");

    [Fact]
    public Task GatherSyncedByHelper_DoesNotTrigger() => RuleTest.Members("void Finish(ref Gather g) => g.Sync(); void M(Page page) { var g = new Gather(table); g.Add(page); Finish(ref g); }");

    [Fact]
    public Task GatherSyncedByHelperOnEveryPath_DoesNotTrigger() => RuleTest.Members("void Finish(bool a, ref Gather g) { if (a) { g.Sync(); return; } try { Console.WriteLine(); } finally { g.Dispose(); } } void M(Page page) { var g = new Gather(table); g.Add(page); Finish(true, ref g); }");

    [Fact]
    public Task GatherSyncedByHelperOfHelper_DoesNotTrigger() => RuleTest.Members("void Finish(ref Gather g) => Last(ref g); static void Last(ref Gather x) { x.Sync(); } void M(Page page) { var g = new Gather(table); g.Add(page); Finish(ref g); }");

    [Fact]
    public Task GatherSyncedByLocalFunction_DoesNotTrigger() => RuleTest.Members("void M(Page page) { var g = new Gather(table); g.Add(page); Finish(ref g); static void Finish(ref Gather x) => x.Sync(); }");

    [Fact]
    public Task GatherSyncedByHelperOnSomePaths_Triggers() => RuleTest.Members("void Finish(bool a, ref Gather g) { if (a) { g.Sync(); } } void M(Page page) { var g = {|IRCU045:new Gather(table)|}; g.Add(page); Finish(true, ref g); }");

    [Fact]
    public Task AnotherGatherSyncedByHelper_Triggers() => RuleTest.Members("Gather Spare => default; void Finish(ref Gather g) { var other = new Gather(table); other.Sync(); } void M(Page page) { var g = {|IRCU045:new Gather(table)|}; g.Add(page); Finish(ref g); }");

    [Fact]
    public Task GatherLentToOneThatSaysItFlushes_DoesNotTrigger() => RuleTest.Members("[FlushesIotlb, Retires] public virtual void Finish(ref Gather g) { g.Sync(); } void M(Page page) { var g = new Gather(table); g.Add(page); Finish(ref g); }");

    [Fact]
    public Task GatherParameter_DoesNotTrigger() => RuleTest.Members("void M(Page page, ref Gather g) { g.Add(page); }");
}
