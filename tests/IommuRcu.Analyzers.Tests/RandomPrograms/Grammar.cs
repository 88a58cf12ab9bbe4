// The grammar of the random method bodies: what a program may do to sections, values and pages.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

/// <summary>What a branch asks. A parameter has one value for a whole run; an opaque call may answer anything every time.</summary>
internal abstract record Condition
{
    /// <summary>A <see langword="bool"/> parameter: two branches on it are correlated.</summary>
    internal sealed record Parameter(int Index, bool Negated) : Condition;

    /// <summary>A <see langword="bool"/> local that the program assigns.</summary>
    internal sealed record Flag(int Index, bool Negated) : Condition;

    /// <summary>A call whose answer nobody knows.</summary>
    internal sealed record Opaque : Condition;
}

/// <summary>What a single statement does. The comment gives its C# form.</summary>
internal enum Operation
{
    Walk,           // Epoch.Walk();
    Wait,           // Epoch.Wait();
    Block,          // System.Threading.Thread.Sleep(1);
    Begin,          // Epoch.Begin();
    End,            // Epoch.End();
    Other,          // Epoch.Other();            a call without a contract: it may throw
    ReadValue,      // v = Epoch.Read();
    UseValue,       // Epoch.Use(v);
    CopyValue,      // w = v;
    Allocate,       // p = Table.Allocate();
    AliasPage,      // q = p;
    Link,           // Table.Link(p);
    Unlink,         // Table.Unlink(p);
    UsePage,        // Table.Touch(p);
    Free,           // Table.Free(p);
    Retire,         // Table.Retire(p);
}

/// <summary>A statement. <see cref="Id"/> is its place in the printed text.</summary>
internal abstract record Statement
{
    private static int _next;

    /// <summary>Tells statements apart that look alike.</summary>
    internal int Id { get; } = Interlocked.Increment(ref _next);

    /// <summary>One call or assignment; the arguments are variable numbers.</summary>
    internal sealed record Do(Operation Operation, int First = 0, int Second = 0) : Statement;

    /// <summary><c>{ … }</c></summary>
    internal sealed record Block(IReadOnlyList<Statement> Body) : Statement;

    /// <summary>A guard in a using statement: <c>using (Epoch.Enter()) { … }</c>, or with a variable.</summary>
    internal sealed record Using(bool Named, Block Body) : Statement;

    /// <summary>A guard in a using declaration that lasts to the end of its own block.</summary>
    internal sealed record UsingDeclaration(Block Rest) : Statement;

    /// <summary><c>var g = Epoch.Enter(); try { … } finally { g.Dispose(); }</c></summary>
    internal sealed record GuardWithFinally(Block Body) : Statement;

    /// <summary><c>var g = Epoch.Enter(); … g.Dispose();</c>, disposed as often as said at the end.</summary>
    internal sealed record GuardByHand(Block Body, int Disposals) : Statement;

    /// <summary><c>bool f = Epoch.TryBegin();</c></summary>
    internal sealed record TryBegin(int Flag) : Statement;

    /// <summary><c>if (Epoch.TryBegin()) { … } else { … }</c></summary>
    internal sealed record IfTryBegin(Block Then, Block Else) : Statement;

    /// <summary><c>if (Table.TryLink(p)) { … } else { … }</c>: the install race.</summary>
    internal sealed record IfTryLink(int Page, Block Then, Block Else) : Statement;

    /// <summary>A flag is set.</summary>
    internal sealed record SetFlag(int Flag, bool Value) : Statement;

    /// <summary>A branch.</summary>
    internal sealed record If(Condition Condition, Block Then, Block Else) : Statement;

    /// <summary>A loop whose condition is opaque.</summary>
    internal sealed record While(Block Body) : Statement;

    /// <summary>A switch over an opaque number.</summary>
    internal sealed record Switch(IReadOnlyList<Block> Arms) : Statement;

    /// <summary>try, with a handler, a finally, or both.</summary>
    internal sealed record Try(Block Body, Block? Handler, Block? Finally) : Statement;

    /// <summary>A lambda that runs at once, in its caller's state.</summary>
    internal sealed record RunNow(Block Body) : Statement;

    /// <summary>A lambda that runs some time: outside any section.</summary>
    internal sealed record RunLater(Block Body) : Statement;

    /// <summary>A gather: pages are unlinked and added, then it is synced, or not.</summary>
    internal sealed record Gather(bool WithUsing, Block Body, bool Synced) : Statement;

    /// <summary>Adds a page to the innermost gather.</summary>
    internal sealed record GatherAdd(int Page) : Statement;

    /// <summary><c>return;</c></summary>
    internal sealed record Return : Statement;

    /// <summary><c>throw new System.InvalidOperationException();</c></summary>
    internal sealed record Throw : Statement;

    /// <summary><c>break;</c></summary>
    internal sealed record Break : Statement;

    /// <summary><c>continue;</c></summary>
    internal sealed record Continue : Statement;
}

/// <summary>A method body, with what it may name.</summary>
internal sealed record RandomProgram(Statement.Block Body)
{
    /// <summary>Number of <see langword="bool"/> parameters.</summary>
    internal const int Parameters = 3;

    /// <summary>Number of <see langword="bool"/> locals.</summary>
    internal const int Flags = 2;

    /// <summary>Number of page locals. Page 0 is a parameter: its origin is not seen.</summary>
    internal const int Pages = 3;

    /// <summary>Number of locals that hold a protected value.</summary>
    internal const int Values = 2;
}
