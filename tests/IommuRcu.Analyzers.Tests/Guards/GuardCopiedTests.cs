// IRCU034: guards and gathers copied by value.
namespace IommuRcu.Analyzers.Tests.Guards;

public sealed class GuardCopiedTests
{
    [Fact]
    public Task Local_Triggers() => RuleTest.Members("void M() { using var a = epoch.Open(); var b = {|IRCU034:a|}; }");

    [Fact]
    public Task Argument_Triggers() => RuleTest.Members("void N(EpochScope s) { } void M() { using var a = epoch.Open(); N({|IRCU034:a|}); }");

    [Fact]
    public Task Gather_Triggers() => RuleTest.Members("void M(ref Gather a) { var b = {|IRCU034:a|}; }");

    [Fact]
    public Task GatherArgument_Triggers() => RuleTest.Members("void N(Gather s) { } void M(ref Gather a) { N({|IRCU034:a|}); }");

    [Fact]
    public Task Field_Triggers() => RuleTest.Members("EpochScope kept; void M() { using var a = epoch.Open(); kept = {|IRCU034:a|}; }");

    [Fact]
    public Task FieldRead_Triggers() => RuleTest.Members("EpochScope kept; void M() { var a = {|IRCU034:kept|}; }");

    [Fact]
    public Task Captured_Triggers() => RuleTest.Members("void M() { using var a = epoch.Open(); Run.Later({|IRCU034:() => Console.WriteLine(a.GetHashCode())|}); }");

    [Fact]
    public Task In_DoesNotTrigger() => RuleTest.Members("void N(in EpochScope s) { } void M() { using var a = epoch.Open(); N(in a); N(a); }");

    [Fact]
    public Task Ref_DoesNotTrigger() => RuleTest.Members("void N(ref Gather g) { } void M(ref Gather g) { N(ref g); }");

    [Fact]
    public Task Returned_DoesNotTrigger() => RuleTest.Members("[AcquiresReadLock] EpochScope M() { var a = epoch.Open(); return a; }");

    [Fact]
    public Task RefLocal_DoesNotTrigger() => RuleTest.Members("void M(ref Gather g) { ref Gather h = ref g; h.Sync(); }");

    [Fact]
    public Task ClassGuard_DoesNotTrigger() => RuleTest.Source("""
        using IommuRcu.Annotations;
        [ReadLockScope] class Guard : System.IDisposable { public void Dispose() { } }
        class C
        {
            [AcquiresReadLock] Guard Open() => new();
            void M() { using var a = Open(); var b = a; }
        }
        """);
}
