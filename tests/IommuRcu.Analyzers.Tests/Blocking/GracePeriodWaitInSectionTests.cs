// IRCU020: waits that wait for their own section.
namespace IommuRcu.Analyzers.Tests.Blocking;

public sealed class GracePeriodWaitInSectionTests
{
    [Fact]
    public Task InUsing_Triggers() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { {|IRCU020:Rcu.Synchronize()|}; } }");

    [Fact]
    public Task InUsingDeclaration_Triggers() => RuleTest.Members("void M() { using var scope = Rcu.ReadLock(); {|IRCU020:Rcu.Barrier()|}; }");

    [Fact]
    public Task InAnnotatedMethod_Triggers() => RuleTest.Members("[RequiresReadLock(DomainType = typeof(Rcu))] void M() { {|IRCU020:Rcu.Synchronize()|}; }");

    [Fact]
    public Task InTry_Triggers() => RuleTest.Members("""
        void M()
        {
            epoch.Enter();
            try { {|IRCU020:epoch.Wait()|}; } finally { epoch.Exit(); }
        }
        """);

    [Fact]
    public Task InNestedSection_Triggers() => RuleTest.Members("""
        void M()
        {
            using (Rcu.ReadLock())
            {
                using (Rcu.ReadLock()) { table.Walk(); }
                {|IRCU020:Rcu.Synchronize()|};
            }
        }
        """);

    [Fact]
    public Task InLoop_Triggers() => RuleTest.Members("""
        void M(int n)
        {
            while (n-- > 0)
            {
                using (Rcu.ReadLock()) { if (table.Walk() == 0) { {|IRCU020:Rcu.Synchronize()|}; } }
            }
        }
        """);

    [Fact]
    public Task OnIndependentBranch_Triggers() => RuleTest.Members("""
        void M(bool a)
        {
            if (a) { epoch.Enter(); }
            {|IRCU020:epoch.Wait()|};
            if (a) { epoch.Exit(); }
        }
        """);

    [Fact]
    public Task InSynchronousLambda_Triggers() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { Run.Now(() => {|IRCU020:Rcu.Synchronize()|}); } }");

    [Fact]
    public Task MayHoldReadLock_Triggers() => RuleTest.Members("[MayHoldReadLock(DomainType = typeof(Rcu))] void M() { {|IRCU020:Rcu.Synchronize()|}; }");

    [Fact]
    public Task ThroughInterface_Triggers() => RuleTest.Source("""
        using IommuRcu;
        using IommuRcu.Annotations;
        interface IWaiter { [WaitsForGracePeriod(DomainType = typeof(Rcu))] void Quiesce(); }
        class Waiter : IWaiter { public void Quiesce() { } }
        class C
        {
            void M(Waiter waiter) { using (Rcu.ReadLock()) { {|IRCU020:waiter.Quiesce()|}; } }
        }
        """);

    [Fact]
    public Task Async_Triggers() => RuleTest.Members("""
        void M()
        {
            epoch.Enter();
            try { var pending = {|IRCU020:epoch.WaitAsync()|}; } finally { epoch.Exit(); }
        }
        """);

    [Fact]
    public Task Alias_Triggers() => RuleTest.Members("""
        void M(Epoch a)
        {
            var b = a;
            a.Enter();
            try { {|IRCU020:b.Wait()|}; } finally { b.Exit(); }
        }
        """);

    [Fact]
    public Task AfterUsing_DoesNotTrigger() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { table.Walk(); } Rcu.Synchronize(); }");

    [Fact]
    public Task BeforeUsing_DoesNotTrigger() => RuleTest.Members("void M() { Rcu.Synchronize(); using (Rcu.ReadLock()) { table.Walk(); } }");

    [Fact]
    public Task OtherDomain_DoesNotTrigger() => RuleTest.Members("void M(Epoch a, Epoch b) { a.Enter(); try { b.Wait(); } finally { a.Exit(); } }");

    [Fact]
    public Task OtherTypeOfDomain_DoesNotTrigger() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { epoch.Wait(); } }");

    [Fact]
    public Task ReturnInSection_DoesNotTrigger() => RuleTest.Members("""
        void M(bool a)
        {
            if (a) { using (Rcu.ReadLock()) { table.Walk(); return; } }
            Rcu.Synchronize();
        }
        """);

    [Fact]
    public Task CorrelatedFlag_DoesNotTrigger() => RuleTest.Members("""
        void M(bool reading)
        {
            if (reading) { epoch.Enter(); }
            if (!reading) { epoch.Wait(); }
            if (reading) { epoch.Exit(); }
        }
        """);

    [Fact]
    public Task LeftBefore_DoesNotTrigger() => RuleTest.Members("""
        [RequiresReadLock(Domain = "epoch")]
        void M()
        {
            epoch.Exit();
            try { epoch.Wait(); } finally { epoch.Enter(); }
        }
        """);

    [Fact]
    public Task LambdaRunLater_DoesNotTrigger() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { Run.Later(() => Rcu.Synchronize()); } }");

    [Fact]
    public Task MayHoldButTested_DoesNotTrigger() => RuleTest.Members("""
        [MayHoldReadLock(DomainType = typeof(Rcu))]
        void M() { if (!Rcu.IsReadLockHeld) { Rcu.Synchronize(); } }
        """);

    [Fact]
    public Task AfterTryFinally_DoesNotTrigger() => RuleTest.Members("""
        void M()
        {
            epoch.Enter();
            try { epoch.Touch(); } finally { epoch.Exit(); }
            epoch.Wait();
        }
        """);

    [Fact]
    public Task TryEnterFailed_DoesNotTrigger() => RuleTest.Members("""
        void M()
        {
            if (epoch.TryEnter()) { epoch.Touch(); epoch.Exit(); }
            else { epoch.Wait(); }
        }
        """);

    [Fact]
    public Task UnlinkWaitFree_DoesNotTrigger() => RuleTest.Members("void M() { var page = table.Unlink(1); Rcu.Synchronize(); pool.Free(page); }");
}
