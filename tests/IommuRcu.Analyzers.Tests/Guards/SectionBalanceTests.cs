// IRCU031, 032, 033, 039: sections closed by hand, twice, or not at all.
namespace IommuRcu.Analyzers.Tests.Guards;

public sealed class SectionBalanceTests
{
    [Fact]
    public Task DisposedByHand_Triggers() => RuleTest.Members("void M() { var scope = {|IRCU031:epoch.Open()|}; epoch.Touch(); scope.Dispose(); }");

    [Fact]
    public Task DisposedByHandOnBothBranches_Triggers() => RuleTest.Members("""
        void M(bool a)
        {
            var scope = {|IRCU031:Rcu.ReadLock()|};
            if (a) { table.Walk(); scope.Dispose(); } else { scope.Dispose(); }
        }
        """);

    [Fact]
    public Task DisposedInFinally_DoesNotTrigger() => RuleTest.Members("void M() { var scope = epoch.Open(); try { epoch.Touch(); } finally { scope.Dispose(); } }");

    [Fact]
    public Task ConditionallyDisposedInFinally_DoesNotTrigger() => RuleTest.Members("""
        void M(bool a)
        {
            var scope = epoch.Open();
            try { epoch.Touch(); if (a) { return; } } finally { scope.Dispose(); }
        }
        """);

    [Fact]
    public Task ExitTwice_Triggers() => RuleTest.Members("void M() { epoch.Enter(); epoch.Touch(); epoch.Exit(); {|IRCU032:epoch.Exit()|}; }");

    [Fact]
    public Task ExitWithoutEnter_Triggers() => RuleTest.Members("public void M() { {|IRCU032:epoch.Exit()|}; }");

    [Fact]
    public Task UsingAndDispose_Triggers() => RuleTest.Members("void M() { using var scope = epoch.Open(); epoch.Touch(); {|IRCU032:scope.Dispose()|}; }");

    [Fact]
    public Task DisposedTwice_Triggers() => RuleTest.Members("void M() { var scope = epoch.Open(); try { epoch.Touch(); } finally { scope.Dispose(); } {|IRCU032:scope.Dispose()|}; }");

    [Fact]
    public Task JumpBackPastEnter_Triggers() => RuleTest.Members("""
        public void M(int n)
        {
            {|IRCU039:epoch.Enter()|};
        again:
            Console.Write(0);
            {|IRCU032:epoch.Exit()|};
            if (n-- > 0) { goto again; }
        }
        """);

    [Fact]
    public Task ExitOfAnother_Triggers() => RuleTest.Members("public void M(Epoch a, Epoch b) { {|IRCU033:a.Enter()|}; a.Touch(); {|IRCU032:b.Exit()|}; }");

    [Fact]
    public Task NestedPairs_DoesNotTrigger() => RuleTest.Members("void M() { epoch.Enter(); epoch.Enter(); epoch.Touch(); epoch.Exit(); epoch.Exit(); }");

    [Fact]
    public Task AnnotatedExit_DoesNotTrigger() => RuleTest.Members("[ReleasesReadLock(Domain = \"epoch\")] public void M() { epoch.Exit(); }");

    [Fact]
    public Task AnnotatedEnter_DoesNotTrigger() => RuleTest.Members("[AcquiresReadLock(Domain = \"epoch\")] public void M() { epoch.Enter(); }");

    [Fact]
    public Task NullConditionalExit_DoesNotTrigger() => RuleTest.Members("void M(Epoch e) { e?.Enter(); e?.Exit(); }");

    [Fact]
    public Task TryExit_DoesNotTrigger() => RuleTest.Members("""
        [RequiresReadLock(Domain = "e")]
        void M(Epoch e)
        {
            bool left = e?.TryExit() ?? false;
            try { Console.WriteLine(); } finally { if (left) { e.Enter(); } }
        }
        """);

    [Fact]
    public Task FlagCorrelated_DoesNotTrigger() => RuleTest.Members("""
        void M(bool enter)
        {
            bool entered = false;
            try
            {
                if (enter) { epoch.Enter(); entered = true; }
                Console.WriteLine();
            }
            finally
            {
                if (entered) { epoch.Exit(); }
            }
        }
        """);

    [Fact]
    public Task Return_Triggers() => RuleTest.Members("public int M(int n) { {|IRCU033:epoch.Enter()|}; if (n == 0) { return 0; } int t = epoch.Touch(); epoch.Exit(); return t; }");

    [Fact]
    public Task Throw_Triggers() => RuleTest.Members("public void M(int n) { {|IRCU033:epoch.Enter()|}; if (n == 0) { throw new InvalidOperationException(); } epoch.Exit(); }");

    [Fact]
    public Task NeverClosed_Triggers() => RuleTest.Members("public void M() { {|IRCU033:epoch.Enter()|}; epoch.Touch(); }");

    [Fact]
    public Task GuardNeverDisposed_Triggers() => RuleTest.Members("public void M() { var scope = {|IRCU033:epoch.Open()|}; epoch.Touch(); }");

    [Fact]
    public Task OpaqueBranches_Triggers() => RuleTest.Members("public void M(Random r) { if (r.Next() > 1) { {|IRCU033:epoch.Enter()|}; } Console.WriteLine(); if (r.Next() > 1) { epoch.Exit(); } }");

    [Fact]
    public Task LoopContinue_Triggers() => RuleTest.Members("public void M(int n) { for (int i = 0; i < n; i++) { {|IRCU033:epoch.Enter()|}; if (i == 3) { continue; } epoch.Exit(); } }");

    [Fact]
    public Task PinNotDisposed_Triggers() => RuleTest.Source("""
        using IommuRcu.Annotations;
        [MustDispose] class Pin : System.IDisposable { public void Dispose() { } }
        class C
        {
            Pin Take() => null;
            public void M(bool c) { var pin = c ? {|IRCU033:Take()|} : null; }
            public void N() { using var pin = Take(); }
        }
        """);

    [Fact]
    public Task CallThrows_Triggers() => RuleTest.Members("public void M() { {|IRCU039:epoch.Enter()|}; Console.WriteLine(); epoch.Exit(); }");

    [Fact]
    public Task CallThrowsInLoop_Triggers() => RuleTest.Members("public void M(int n) { for (int i = 0; i < n; i++) { {|IRCU039:epoch.Enter()|}; Console.WriteLine(i); epoch.Exit(); } }");

    [Fact]
    public Task ContractCallsOnly_DoesNotTrigger() => RuleTest.Members("public void M() { epoch.Enter(); epoch.Touch(); epoch.Exit(); }");

    [Fact]
    public Task CallUnderFinally_DoesNotTrigger() => RuleTest.Members("public void M() { epoch.Enter(); try { Console.WriteLine(); } finally { epoch.Exit(); } }");

    [Fact]
    public Task CallUnderCatchAll_DoesNotTrigger() => RuleTest.Members("public void M() { epoch.Enter(); try { Console.WriteLine(); epoch.Exit(); } catch { epoch.Exit(); throw; } }");

    [Fact]
    public Task SwitchAllClose_DoesNotTrigger() => RuleTest.Members("""
        public void M(int kind)
        {
            epoch.Enter();
            switch (kind)
            {
                case 0: epoch.Exit(); break;
                case 1: epoch.Touch(); epoch.Exit(); return;
                default: epoch.Exit(); break;
            }
        }
        """);

    [Fact]
    public Task EnterIfNotHeld_DoesNotTrigger() => RuleTest.Members("public void M() { bool mine = epoch.EnterIfNotHeld(); epoch.Touch(); if (mine) { epoch.Exit(); } }");

    [Fact]
    public Task IfNotHeld_DoesNotTrigger() => RuleTest.Members("public void M() { bool held = epoch.IsHeld; if (!held) { epoch.Enter(); } epoch.Touch(); if (!held) { epoch.Exit(); } }");

    [Fact]
    public Task TryExitOfCallersSection_DoesNotTrigger() => RuleTest.Members("""
        public void M(Epoch e)
        {
            bool left = e?.TryExit() ?? false;
            try { Thread.Sleep(1); } finally { if (left) { e.Enter(); } }
        }
        """);

    [Fact]
    public Task EnterAfterTryExitFailed_Triggers() => RuleTest.Members("public void M(Epoch e) { if (!e.TryExit()) { {|IRCU033:e.Enter()|}; } }");

    [Fact]
    public Task LeavesAndRetakesSectionNamedByType_DoesNotTrigger() => RuleTest.Members("""
        [RequiresReadLock(DomainType = typeof(Epoch))]
        public void M()
        {
            epoch.Exit();
            try { epoch.Wait(); } finally { epoch.Enter(); }
        }
        """);
}
