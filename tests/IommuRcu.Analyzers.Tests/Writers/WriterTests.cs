// IRCU070 and 072: updates without the writer lock, and updates that are not atomic.
namespace IommuRcu.Analyzers.Tests.Writers;

public sealed class WriterTests
{
    private const string Locked = """
        readonly object gate = new();
        [RequiresWriterLock(Lock = nameof(gate))] public void Update() { }
        [RequiresWriterLock(Lock = nameof(gate))] int version;
        [RcuProtected(Lock = nameof(gate))] ulong entry;
        [RcuProtected] ulong[] entries = new ulong[4];

        """;

    [Fact]
    public Task CallWithoutLock_Triggers() => RuleTest.Members(Locked + "public void M() { {|IRCU070:Update()|}; }");

    [Fact]
    public Task WriteWithoutLock_Triggers() => RuleTest.Members(Locked + "public void M() { {|IRCU070:version = 1|}; }");

    [Fact]
    public Task OtherLock_Triggers() => RuleTest.Members(Locked + "public void M(object other) { lock (other) { {|IRCU070:Update()|}; } }");

    [Fact]
    public Task AfterLock_Triggers() => RuleTest.Members(Locked + "public void M() { lock (gate) { Update(); } {|IRCU070:Update()|}; }");

    [Fact]
    public Task OtherInstance_Triggers() => RuleTest.Members(Locked + "public void M(Subject other) { lock (gate) { {|IRCU070:other.Update()|}; } }");

    [Fact]
    public Task UnderLock_DoesNotTrigger() => RuleTest.Members(Locked + "public void M() { lock (gate) { Update(); version = 1; } }");

    [Fact]
    public Task UnderMonitor_DoesNotTrigger() => RuleTest.Members(Locked + "public void M() { Monitor.Enter(gate); try { Update(); } finally { Monitor.Exit(gate); } }");

    [Fact]
    public Task TryEnter_DoesNotTrigger() => RuleTest.Members(Locked + "public void M() { if (Monitor.TryEnter(gate)) { Update(); Monitor.Exit(gate); } }");

    [Fact]
    public Task Annotated_DoesNotTrigger() => RuleTest.Members(Locked + "[RequiresWriterLock(Lock = nameof(gate))] public void M() { Update(); }");

    [Fact]
    public Task InConstructor_DoesNotTrigger() => RuleTest.Members(Locked + "Subject() { version = 1; Update(); }");

    [Fact]
    public Task AliasOfLock_DoesNotTrigger() => RuleTest.Members(Locked + "public void M() { var g = gate; lock (g) { Update(); } }");

    [Fact]
    public Task OrLock_DoesNotTrigger() => RuleTest.Members(Locked + "[RequiresReadLock(Or = nameof(gate))] public void W() { } public void M() { lock (gate) { W(); } }");

    [Fact]
    public Task NewLock_DoesNotTrigger() => RuleTest.Members("readonly Lock gate = new(); [RequiresWriterLock(Lock = nameof(gate))] public void Update() { } public void M() { lock (gate) { Update(); } using (gate.EnterScope()) { Update(); } }");

    [Fact]
    public Task OrAssignment_Triggers() => RuleTest.Members(Locked + "public void M() { {|IRCU072:entry |= 1|}; }");

    [Fact]
    public Task PlusAssignment_Triggers() => RuleTest.Members(Locked + "public void M() { {|IRCU072:entry += 8|}; }");

    [Fact]
    public Task ReadModifyWrite_Triggers() => RuleTest.Members(Locked + "public void M() { {|IRCU072:entry = entry | 1|}; }");

    [Fact]
    public Task VolatileReadModifyWrite_Triggers() => RuleTest.Members(Locked + "public void M() { {|IRCU072:Volatile.Write(ref entry, Volatile.Read(ref entry) & ~1UL)|}; }");

    [Fact]
    public Task Element_Triggers() => RuleTest.Members(Locked + "public void M(int i) { {|IRCU072:entries[i] |= 1|}; }");

    [Fact]
    public Task Pointer_Triggers() => RuleTest.Members("public void M([RcuProtected] ulong* entries) { {|IRCU072:entries[3] |= 1|}; }");

    [Fact]
    public Task CompareExchange_DoesNotTrigger() => RuleTest.Members(Locked + "public void M() { ulong old = Volatile.Read(ref entry); Interlocked.CompareExchange(ref entry, old | 1, old); Interlocked.Or(ref entry, 1); }");

    [Fact]
    public Task UpdateUnderItsLock_DoesNotTrigger() => RuleTest.Members(Locked + "public void M() { lock (gate) { {|IRCU003:entry |= 1|}; } }");

    [Fact]
    public Task OtherField_DoesNotTrigger() => RuleTest.Members("ulong plain; public void M() { plain |= 1; plain++; plain = plain | 2; }");
}
