// IRCU002 and 003: plain loads and stores of protected fields, and the ones that are right.
namespace IommuRcu.Analyzers.Tests.Walks;

public sealed class ProtectedPointerTests
{
    private const string Node = """
        class Node { [RcuProtected(DomainType = typeof(Rcu))] public Node Next; public int Value; }
        [RcuProtected(Lock = nameof(gate))] Node head;
        [RcuProtected] static Node shared;
        readonly object gate = new();

        """;

    [Fact]
    public Task ReadInSection_Triggers() => RuleTest.Members(Node + "int M() { using (Rcu.ReadLock()) { return {|IRCU002:head|}.Value; } }");

    [Fact]
    public Task ReadIntoLocal_Triggers() => RuleTest.Members(Node + "void M() { using (Rcu.ReadLock()) { var n = {|IRCU002:head|}; } }");

    [Fact]
    public Task ReadOfStatic_Triggers() => RuleTest.Members(Node + "void M() { using (Rcu.ReadLock()) { var n = {|IRCU002:shared|}; } }");

    [Fact]
    public Task ReadAsArgument_Triggers() => RuleTest.Members(Node + "void N(Node n) { } void M() { using (Rcu.ReadLock()) { N({|IRCU002:head|}); } }");

    [Fact]
    public Task ReadOfLink_Triggers() => RuleTest.Members(Node + "void M(Node n) { using (Rcu.ReadLock()) { var m = {|IRCU002:n.Next|}; } }");

    [Fact]
    public Task ReadOutside_TriggersOnce() => RuleTest.Members(Node + "int M() => {|IRCU001:head|}.Value;");

    [Fact]
    public Task ReadUnderAnotherLock_Triggers() => RuleTest.Members(Node + "void M(object other) { lock (other) { var n = {|IRCU002:head|}; } }");

    [Fact]
    public Task NullTest_DoesNotTrigger() => RuleTest.Members(Node + "bool M() => head == null || head is null || head is not null || head != null;");

    [Fact]
    public Task Comparison_DoesNotTrigger() => RuleTest.Members(Node + "bool M(Node n) => head == n;");

    [Fact]
    public Task Dereference_DoesNotTrigger() => RuleTest.Members(Node + "int M() { using (Rcu.ReadLock()) { return Rcu.Dereference(ref head).Value; } }");

    [Fact]
    public Task VolatileRead_DoesNotTrigger() => RuleTest.Members(Node + "bool M() { using (Rcu.ReadLock()) { return Volatile.Read(ref head) != null; } }");

    [Fact]
    public Task UnderItsLock_DoesNotTrigger() => RuleTest.Members(Node + "void M() { lock (gate) { var n = head; } }");

    [Fact]
    public Task InConstructor_DoesNotTrigger() => RuleTest.Members(Node + "Subject() { head = new Node(); var n = head; }");

    [Fact]
    public Task OfFreshObject_DoesNotTrigger() => RuleTest.Members(Node + "void M() { var n = new Node(); n.Next = null; var m = n.Next; }");

    [Fact]
    public Task Nameof_DoesNotTrigger() => RuleTest.Members(Node + "string M() => nameof(head);");

    [Fact]
    public Task Store_Triggers() => RuleTest.Members(Node + "void M() { {|IRCU003:head = null|}; }");

    [Fact]
    public Task StoreOfNew_Triggers() => RuleTest.Members(Node + "void M() { {|IRCU003:head = new Node()|}; }");

    [Fact]
    public Task StoreUnderLock_Triggers() => RuleTest.Members(Node + "void M() { lock (gate) { {|IRCU003:head = new Node()|}; } }");

    [Fact]
    public Task StoreToLink_Triggers() => RuleTest.Members(Node + "void M(Node n, Node m) { {|IRCU003:n.Next = m|}; }");

    [Fact]
    public Task StoreToStatic_Triggers() => RuleTest.Members(Node + "void M(Node n) { {|IRCU003:shared = n|}; }");

    [Fact]
    public Task StoreAfterPublication_Triggers() => RuleTest.Members(Node + "void M() { var n = new Node(); Rcu.Assign(ref head, n); {|IRCU003:n.Next = null|}; }");

    [Fact]
    public Task StoreInConstructor_DoesNotTrigger() => RuleTest.Members(Node + "Subject() { head = new Node(); }");

    [Fact]
    public Task FieldInitializer_DoesNotTrigger() => RuleTest.Members("[RcuProtected] object head = new();");

    [Fact]
    public Task ObjectInitializer_DoesNotTrigger() => RuleTest.Members(Node + "void M(Node n) { var m = new Node { Next = n }; Rcu.Assign(ref head, m); }");

    [Fact]
    public Task StoreBeforePublication_DoesNotTrigger() => RuleTest.Members(Node + "void M(Node n) { var m = new Node(); m.Next = n; Rcu.Assign(ref head, m); }");

    [Fact]
    public Task Assign_DoesNotTrigger() => RuleTest.Members(Node + "void M(Node n) => Rcu.Assign(ref head, n);");

    [Fact]
    public Task VolatileWrite_DoesNotTrigger() => RuleTest.Members(Node + "void M(Node n) => Volatile.Write(ref head, n);");

    [Fact]
    public Task Exchange_DoesNotTrigger() => RuleTest.Members(Node + "void M(Node n) { Interlocked.Exchange(ref head, n); Interlocked.CompareExchange(ref head, n, null); }");

    [Fact]
    public Task UnprotectedField_DoesNotTrigger() => RuleTest.Members("object head; void M() { head = new(); var n = head; }");
}
