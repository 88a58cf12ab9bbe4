// The grammar of the random method bodies: what a program may do to sections, values and pages.
namespace IommuRcu.Analyzers.Tests.RandomPrograms;

/// <summary>What a branch asks. A parameter has one value for a whole run; an opaque call may answer anything every time.</summary>
internal abstract record Condition
{
    /// <summary>A <see langword="bool"/> parameter, asked plainly or by a pattern: two branches on it are correlated.</summary>
    internal sealed record Parameter(int Index, bool Negated, bool ByPattern = false) : Condition;

    /// <summary>A <see langword="bool"/> local that the program assigns, asked plainly or by a pattern.</summary>
    internal sealed record Flag(int Index, bool Negated, bool ByPattern = false) : Condition;

    /// <summary><c>n is …</c>, or <c>n is not (…)</c></summary>
    internal sealed record Number(NumberPattern Pattern, bool Negated) : Condition;

    /// <summary><c>(a0, a1) is (true, false)</c>: two parameters at once.</summary>
    internal sealed record Pair(int First, bool IsFirst, int Second, bool IsSecond, bool Negated) : Condition;

    /// <summary>A call whose answer nobody knows.</summary>
    internal sealed record Opaque : Condition;
}

/// <summary>What a pattern asks of the parameter <c>n</c>. They part all numbers into four: below 0, 0, 1, and above.</summary>
internal enum NumberPattern
{
    Zero,           // 0
    One,            // 1
    Negative,       // < 0
    Many,           // > 1
    ZeroOrOne,      // 0 or 1
    NotZero,        // not 0
    Between,        // >= 0 and <= 1
}

/// <summary>How the page that an unlink may have given back is told from none.</summary>
internal enum TakeForm
{
    Recursive,      // if (Table.Take() is { } q) { … } else { … }
    Type,           // if (Table.Take() is Page q) …
    NotNull,        // var q = Table.Take(); if (q is not null) …
    Null,           // var q = Table.Take(); if (q is null) { … } else { … }
    Assigned,       // if ((p = Table.Take()) is not null) …
    Case,           // switch (Table.Take()) { case { } q: … break; default: … break; }
    CaseNull,       // switch (Table.Take()) { case null: … break; case var q: … break; }
}

/// <summary>How a writer lock is held.</summary>
internal enum LockForm
{
    Statement,      // lock (gate) { … }
    Aliased,        // var k = gate; lock (k) { … }
    WithFinally,    // Monitor.Enter(gate); try { … } finally { Monitor.Exit(gate); }
    Taken,          // bool t = false; try { Monitor.Enter(gate, ref t); … } finally { if (t) Monitor.Exit(gate); }
    Scope,          // using (gate.EnterScope()) { … }                 gate 1 only
    ByHand,         // Monitor.Enter(gate); … Monitor.Exit(gate);
}

/// <summary>What a method is to the compiler.</summary>
internal enum BodyKind
{
    Plain,
    Async,
    Iterator,
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
    FollowValue,    // _ = v.Size;             by pointer: _ = v->Size;
    CopyValue,      // w = v;
    Allocate,       // p = Table.Allocate();
    AliasPage,      // q = p;
    Link,           // Table.Link(p);
    Unlink,         // Table.Unlink(p);
    UsePage,        // Table.Touch(p);
    FollowPage,     // _ = p.Size;             by pointer: _ = p->Size;
    Free,           // Table.Free(p);
    Retire,         // Table.Retire(p);
    Update,         // Store.Update0();         needs the writer lock of its number
    Scan,           // Store.Scan();            needs a section or writer lock 0
    TakeLock,       // Monitor.Enter(gate);
    GiveLock,       // Monitor.Exit(gate);
    Suspend,        // await Epoch.Idle();      or yield return 0;
    WaitAsync,      // await Epoch.WaitAsync();
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

    /// <summary>A switch over the parameter <c>n</c>, by patterns.</summary>
    internal sealed record SwitchNumber(IReadOnlyList<NumberArm> Arms, Block Default) : Statement;

    /// <summary><c>if (n switch { … => Epoch.TryBegin(), _ => false }) { … } else { … }</c></summary>
    internal sealed record IfSwitchBegin(NumberPattern Enters, Block Then, Block Else) : Statement;

    /// <summary><c>Table.Free(n switch { 0 => p, 1 => q, _ => r });</c></summary>
    internal sealed record Selected(Operation Operation, int Zero, int One, int Rest) : Statement;

    /// <summary>A page is unlinked by the call that gives it back, if there was one.</summary>
    internal sealed record IfTaken(int Page, TakeForm Form, Block Then, Block Else) : Statement
    {
        /// <summary>Whether a break in it ends it.</summary>
        internal bool IsSwitch => Form is TakeForm.Case or TakeForm.CaseNull;
    }

    /// <summary>A writer lock is held.</summary>
    internal sealed record Locked(int Gate, LockForm Form, Block Body) : Statement;

    /// <summary><c>if (Monitor.TryEnter(gate)) { try { … } finally { Monitor.Exit(gate); } } else { … }</c></summary>
    internal sealed record IfTryLock(int Gate, Block Then, Block Else) : Statement;

    /// <summary><c>f = Monitor.TryEnter(gate);</c></summary>
    internal sealed record TryLock(int Gate, int Flag) : Statement;

    /// <summary>A block with a label behind it.</summary>
    internal sealed record Labelled(int Label, Block Body) : Statement;

    /// <summary>A block with a label before it: <c>l: { … } if (Epoch.Ask()) { goto l; }</c></summary>
    internal sealed record Again(int Label, Block Body) : Statement;

    /// <summary><c>goto l;</c>, out of everything in between.</summary>
    internal sealed record Goto(int Label) : Statement;

    /// <summary><c>{ ref Page r = ref p; … }</c>: the variable has two names, of which the text takes now one, now the other.</summary>
    internal sealed record Reference(VariableKind Kind, int Index, Block Body) : Statement;

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

    /// <summary>Whether nothing that follows in the same block is reached.</summary>
    internal bool LeavesBlock => this is Return or Throw or Break or Continue or Goto;
}

/// <summary>One arm of a switch over the number, perhaps with a condition more.</summary>
internal sealed record NumberArm(NumberPattern Pattern, Condition.Parameter? When, Statement.Block Body);

/// <summary>The variables that may have a second name.</summary>
internal enum VariableKind
{
    Page,
    Value,
    Flag,
}

/// <summary>A method body, with what it may name.</summary>
/// <param name="Body">The body.</param>
/// <param name="Kind">What it is to the compiler.</param>
/// <param name="ByPointer">Whether pages and protected values are pointers to unmanaged memory. It changes the text and nothing of the truth.</param>
internal sealed record RandomProgram(Statement.Block Body, BodyKind Kind = BodyKind.Plain, bool ByPointer = false)
{
    /// <summary>Number of <see langword="bool"/> parameters.</summary>
    internal const int Parameters = 3;

    /// <summary>Number of <see langword="bool"/> locals that the program sets as it likes.</summary>
    internal const int Flags = 2;

    /// <summary>The <see langword="bool"/> local behind them, which only says whether a lock was taken.</summary>
    internal const int LockFlag = Flags;

    /// <summary>Number of writer locks: an object, and a <c>System.Threading.Lock</c>.</summary>
    internal const int Gates = 2;

    /// <summary>Number of page locals. Page 0 is a parameter: its origin is not seen.</summary>
    internal const int Pages = 3;

    /// <summary>Number of locals that hold a protected value.</summary>
    internal const int Values = 2;

    /// <summary>Values of the parameter <c>n</c>, one for each kind that a <see cref="NumberPattern"/> can tell.</summary>
    internal static IReadOnlyList<int> Numbers { get; } = [-1, 0, 1, 2];
}
