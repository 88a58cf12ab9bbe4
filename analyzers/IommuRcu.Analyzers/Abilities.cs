// What the flow analysis can do, one by one: tests take an ability away and see that it is missed.
namespace IommuRcu.Analyzers;

/// <summary>Abilities of the flow analysis.</summary>
[System.Flags]
internal enum Abilities : byte
{
    None = 0,

    /// <summary>A branch or exception passes the finally blocks on its way.</summary>
    Finally = 1,

    /// <summary>What a branch has decided holds at later branches.</summary>
    Correlation = 2,

    /// <summary>What the compiler keeps in between, as the guard of a using, is the value that was put there.</summary>
    FlowCaptures = 4,

    /// <summary>Two variables may hold the same value.</summary>
    Aliases = 8,

    /// <summary>A contract may hold for one answer of its call only.</summary>
    TryEnter = 16,

    /// <summary>A call may throw, to the handlers around it.</summary>
    Exceptions = 32,

    /// <summary>A lambda that is run at once runs in its caller's state.</summary>
    NestedFunctions = 64,

    All = 127,
}
