// IRCU022 and 023: blocking, awaiting and yielding inside sections.
namespace IommuRcu.Analyzers.Tests.Blocking;

public sealed class BlockingCallInSectionTests
{
    [Theory]
    [InlineData("Thread.Sleep(1)")]
    [InlineData("task.Wait()")]
    [InlineData("task.GetAwaiter().GetResult()")]
    [InlineData("thread.Join()")]
    [InlineData("semaphore.Wait()")]
    [InlineData("Monitor.Enter(this)")]
    [InlineData("Console.ReadLine()")]
    [InlineData("table.Flush()")]
    [InlineData("file.ReadByte()")]
    [InlineData("System.IO.File.ReadAllText(\"x\")")]
    [InlineData("handle.WaitOne()")]
    public Task BlockingCall_Triggers(string call) => RuleTest.Members(
        "void M(Task task, Thread thread, SemaphoreSlim semaphore, System.IO.FileStream file, ManualResetEvent handle) { using (Rcu.ReadLock()) { {|IRCU022:" + call + "|}; } }");

    [Fact]
    public Task Result_Triggers() => RuleTest.Members("int M(Task<int> task) { using (Rcu.ReadLock()) { return {|IRCU022:task.Result|}; } }");

    [Fact]
    public Task InAnnotatedMethod_Triggers() => RuleTest.Members("[RequiresReadLock] void M() { {|IRCU022:Thread.Sleep(1)|}; }");

    [Theory]
    [InlineData("Thread.Sleep(1)")]
    [InlineData("task.Wait()")]
    [InlineData("table.Flush()")]
    public Task OutsideSection_DoesNotTrigger(string call) => RuleTest.Members("void M(Task task) { using (Rcu.ReadLock()) { table.Walk(); } " + call + "; }");

    [Fact]
    public Task InSleepableSection_DoesNotTrigger() => RuleTest.Members("void M(Sleepable s) { using (s.Open()) { Thread.Sleep(1); s.Touch(); } }");

    [Fact]
    public Task Yield_DoesNotTrigger() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { Thread.Yield(); Thread.SpinWait(3); table.Walk(); } }");

    [Fact]
    public Task InLambdaRunLater_DoesNotTrigger() => RuleTest.Members("void M() { using (Rcu.ReadLock()) { Run.Later(() => Thread.Sleep(1)); } }");

    [Fact]
    public Task Await_Triggers() => RuleTest.Members("async Task M() { epoch.Enter(); try { {|IRCU023:await Task.Yield()|}; } finally { epoch.Exit(); } }");

    [Fact]
    public Task AwaitInGuard_Triggers() => RuleTest.Members("async Task M() { using (epoch.Open()) { {|IRCU023:await Task.Delay(1)|}; } }");

    [Fact]
    public Task YieldReturn_Triggers() => RuleTest.Members("IEnumerable<int> M() { using (epoch.Open()) { {|IRCU023:yield return epoch.Touch();|} } }");

    [Fact]
    public Task AwaitInAnnotated_Triggers() => RuleTest.Members("[RequiresReadLock] async Task M() { {|IRCU023:await Task.Yield()|}; }");

    [Fact]
    public Task AwaitInSleepable_DoesNotTrigger() => RuleTest.Members("async Task M(Sleepable s) { using (s.Open()) { await Task.Yield(); s.Touch(); } }");

    [Fact]
    public Task AwaitAfterSection_DoesNotTrigger() => RuleTest.Members("async Task M() { using (epoch.Open()) { epoch.Touch(); } await Task.Yield(); }");

    [Fact]
    public Task AwaitBetweenSections_DoesNotTrigger() => RuleTest.Members("async Task M() { while (true) { using (epoch.Open()) { epoch.Touch(); } await Task.Delay(1); } }");

    [Fact]
    public Task YieldOutside_DoesNotTrigger() => RuleTest.Members("IEnumerable<int> M() { int t; using (epoch.Open()) { t = epoch.Touch(); } yield return t; }");
}
