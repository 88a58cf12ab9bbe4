// IRCU001: walks with no section open, and the many ways a section can be open.
namespace IommuRcu.Analyzers.Tests.Walks;

public sealed class WalkOutsideReadSectionTests
{
    [Fact]
    public Task PlainCall_Triggers() => RuleTest.Members("int M() => {|IRCU001:table.Walk()|};");

    [Fact]
    public Task Property_Triggers() => RuleTest.Members("int M() => {|IRCU001:table.Depth|};");

    [Fact]
    public Task Indexer_Triggers() => RuleTest.Members("int M() => {|IRCU001:table[3]|};");

    [Fact]
    public Task AfterUsing_Triggers() => RuleTest.Members("""
        void M()
        {
            using (Rcu.ReadLock())
            {
                table.Walk();
            }

            {|IRCU001:table.Walk()|};
        }
        """);

    [Fact]
    public Task AfterDispose_Triggers() => RuleTest.Members("""
        void M()
        {
            var scope = Rcu.ReadLock();
            try { table.Walk(); } finally { scope.Dispose(); }
            {|IRCU001:table.Walk()|};
        }
        """);

    [Fact]
    public Task BeforeUsingDeclaration_Triggers() => RuleTest.Members("""
        void M()
        {
            {|IRCU001:table.Walk()|};
            using var scope = Rcu.ReadLock();
            table.Walk();
        }
        """);

    [Fact]
    public Task InLoop_Triggers() => RuleTest.Members("""
        void M(int n)
        {
            for (int i = 0; i < n; i++)
            {
                {|IRCU001:table.Walk(i)|};
            }
        }
        """);

    [Fact]
    public Task InCatchAfterSection_Triggers() => RuleTest.Members("""
        void M()
        {
            try
            {
                using var scope = Rcu.ReadLock();
                Console.WriteLine(table.Walk());
            }
            catch (InvalidOperationException)
            {
                {|IRCU001:table.Walk()|};
            }
        }
        """);

    [Fact]
    public Task LambdaInsideSection_Triggers() => RuleTest.Members("""
        void M()
        {
            using (Rcu.ReadLock())
            {
                Run.Later(() => {|IRCU001:table.Walk()|});
            }
        }
        """);

    [Fact]
    public Task LocalFunctionCalledOutside_Triggers() => RuleTest.Members("""
        int M()
        {
            return {|IRCU001:Local()|};
            int Local() => table.Walk();
        }
        """);

    [Fact]
    public Task PrivateHelperCalledOutside_Triggers() => RuleTest.Members("""
        public int M() => {|IRCU001:Helper()|};
        private int Helper() => table.Walk();
        """);

    [Fact]
    public Task SwitchSection_Triggers() => RuleTest.Members("""
        int M(int kind)
        {
            switch (kind)
            {
                case 0:
                    using (Rcu.ReadLock()) { return table.Walk(); }
                default:
                    return {|IRCU001:table.Walk()|};
            }
        }
        """);

    [Fact]
    public Task AsyncMethod_Triggers() => RuleTest.Members("""
        async Task M()
        {
            await Task.Yield();
            {|IRCU001:table.Walk()|};
        }
        """);

    [Fact]
    public Task FieldInitializer_Triggers() => RuleTest.Members("static Table s = new(); int depth = {|IRCU001:s.Walk()|};");

    [Fact]
    public Task ElseOfQuery_Triggers() => RuleTest.Members("""
        void M()
        {
            if (!Rcu.IsReadLockHeld)
            {
                {|IRCU001:table.Walk()|};
            }
        }
        """);

    [Fact]
    public Task UsingStatement_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            using (Rcu.ReadLock())
            {
                return table.Walk() + table.Depth + table[1];
            }
        }
        """);

    [Fact]
    public Task UsingDeclaration_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            using var scope = Rcu.ReadLock();
            return table.Walk();
        }
        """);

    [Fact]
    public Task UsingStatementWithVariable_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            using (var scope = Rcu.ReadLock())
            {
                for (int i = 0; i < 3; i++) { table.Walk(i); }
                return table.Walk();
            }
        }
        """);

    [Fact]
    public Task TryFinally_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            var scope = Rcu.ReadLock();
            try
            {
                return table.Walk();
            }
            finally
            {
                scope.Dispose();
            }
        }
        """);

    [Fact]
    public Task EnterAndExit_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            epoch.Enter();
            try
            {
                return epoch.Touch();
            }
            finally
            {
                epoch.Exit();
            }
        }
        """);

    [Fact]
    public Task AnnotatedMethod_DoesNotTrigger() => RuleTest.Members("[RequiresReadLock] int M() => table.Walk();");

    [Fact]
    public Task Asserted_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            Rcu.AssertReadLockHeld();
            return table.Walk();
        }
        """);

    [Fact]
    public Task Queried_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            if (Rcu.IsReadLockHeld) { return table.Walk(); }
            Debug.Assert(Rcu.IsReadLockHeld);
            return table.Walk();
        }
        """);

    [Fact]
    public Task Nested_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            using (Rcu.ReadLock())
            {
                using (Rcu.ReadLock()) { table.Walk(); }
                return table.Walk();
            }
        }
        """);

    [Fact]
    public Task TryEnter_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            if (!epoch.TryEnter()) { return 0; }
            try { return epoch.Touch(); } finally { epoch.Exit(); }
        }
        """);

    [Fact]
    public Task FlagCorrelation_DoesNotTrigger() => RuleTest.Members("""
        int M(bool held)
        {
            if (!held) { epoch.Enter(); }
            try
            {
                return held ? 0 : epoch.Touch();
            }
            finally
            {
                if (!held) { epoch.Exit(); }
            }
        }
        """);

    [Fact]
    public Task EnterIfNotHeld_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            bool entered = epoch.EnterIfNotHeld();
            try
            {
                return epoch.Touch();
            }
            finally
            {
                if (entered) { epoch.Exit(); }
            }
        }
        """);

    [Fact]
    public Task SynchronousLambda_DoesNotTrigger() => RuleTest.Members("""
        void M(int[] items)
        {
            using (Rcu.ReadLock())
            {
                Run.Now(() => table.Walk());
                Array.ForEach(items, i => table.Walk(i));
                int sum = items.Sum(i => table.Walk(i));
            }
        }
        """);

    [Fact]
    public Task LocalFunctionCalledInside_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            using var scope = Rcu.ReadLock();
            return Local();
            int Local() => table.Walk();
        }
        """);

    [Fact]
    public Task LambdaCalledInside_DoesNotTrigger() => RuleTest.Members("""
        int M()
        {
            Func<int> walk = () => table.Walk();
            using var scope = Rcu.ReadLock();
            return walk();
        }
        """);

    [Fact]
    public Task PrivateHelpersCalledInside_DoesNotTrigger() => RuleTest.Members("""
        public int M()
        {
            using var scope = Rcu.ReadLock();
            return First();
        }

        private int First() => Second() + 1;
        private int Second() => table.Walk();
        """);

    [Fact]
    public Task NullConditionalGuard_DoesNotTrigger() => RuleTest.Members("""
        int M(Epoch guard)
        {
            guard?.Enter();
            try { return guard is null ? 0 : guard.Touch(); } finally { guard?.Exit(); }
        }
        """);

    [Fact]
    public Task RcuUnsafe_DoesNotTrigger() => RuleTest.Members("""[RcuUnsafe("single-threaded start")] int M() => table.Walk();""");

    [Fact]
    public Task LeaveWaitReenter_DoesNotTrigger() => RuleTest.Members("""
        [RequiresReadLock(Domain = "epoch")]
        int M()
        {
            epoch.Exit();
            try { epoch.Wait(); } finally { epoch.Enter(); }
            return epoch.Touch();
        }
        """);

    [Fact]
    public Task SectionOfOneOfTheType_DoesNotTrigger() => RuleTest.Members("""
        [RequiresReadLock(DomainType = typeof(Epoch))] static int Walked() => 1;
        public int M() { using (epoch.Open()) { return Walked(); } }
        """);

    [Fact]
    public Task SectionOfAnotherType_Triggers() => RuleTest.Members("""
        Sleepable sleepable = new();
        [RequiresReadLock(DomainType = typeof(Epoch))] static int Walked() => 1;
        public int M() { using (sleepable.Open()) { return {|IRCU007:Walked()|}; } }
        public int N() { using (epoch.Open()) { return {|IRCU007:table.Walk()|}; } }
        """);

    [Fact]
    public Task DomainIsPrimaryParameter_FollowsIt() => RuleTest.Source("""
        using IommuRcu.Annotations;
        public class Subject(Epoch one, Epoch other)
        {
            [RequiresReadLock(Domain = nameof(one))] private int Walked() => one.Touch();
            public int M() { using (one.Open()) { return Walked(); } }
            public int N() { using (other.Open()) { return {|IRCU007:Walked()|}; } }
        }
        """);
}
