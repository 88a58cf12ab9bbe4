// The descriptors of the band "walks and protected values".
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers;

public static partial class Descriptors
{
    /// <summary>IRCU001: Walk outside a read-side section.</summary>
    public static DiagnosticDescriptor WalkOutsideReadSection { get; } = Create(
        "IRCU001", "Walk outside a read-side section", Walks, DiagnosticSeverity.Warning,
        "'{0}' needs a read-side section of {1}, and none is open here; open one around it, or put RequiresReadLock on '{2}'",
        "What a reader stands on may be freed at any moment unless a read-side section keeps the grace period from ending.");

    /// <summary>IRCU002: RCU pointer read plainly.</summary>
    public static DiagnosticDescriptor RcuPointerReadPlainly { get; } = Create(
        "IRCU002", "RCU pointer read plainly", Walks, DiagnosticSeverity.Warning,
        "'{0}' is RCU-protected, but read with a plain load; read it with Rcu.Dereference inside the section",
        "A plain load may be repeated, torn or moved by the compiler and the processor; a dereference may not.");

    /// <summary>IRCU003: RCU pointer written plainly.</summary>
    public static DiagnosticDescriptor RcuPointerWrittenPlainly { get; } = Create(
        "IRCU003", "RCU pointer written plainly", Walks, DiagnosticSeverity.Warning,
        "'{0}' is RCU-protected, but written with a plain store; publish with Rcu.Assign",
        "A plain store may become visible before the contents of the object that it publishes.");

    /// <summary>IRCU004: Protected value escapes its section.</summary>
    public static DiagnosticDescriptor ProtectedValueEscapes { get; } = Create(
        "IRCU004", "Protected value escapes its section", Walks, DiagnosticSeverity.Warning,
        "'{0}' is valid only inside its read-side section, but {1}; copy what is needed out of it, or keep the section open",
        "Once the section closes the memory may be freed under whoever still holds the value.");

    /// <summary>IRCU005: Protected value used after its section closed.</summary>
    public static DiagnosticDescriptor ProtectedValueUsedAfterSection { get; } = Create(
        "IRCU005", "Protected value used after its section closed", Walks, DiagnosticSeverity.Warning,
        "'{0}' was read in a section that is closed by now; use it inside that section, or read it again",
        "The memory behind the value may have been freed since its section closed, also where a second section is open.");

    /// <summary>IRCU006: Contract not passed on.</summary>
    public static DiagnosticDescriptor ContractNotPassedOn { get; } = Create(
        "IRCU006", "Contract not passed on", Walks, DiagnosticSeverity.Warning,
        "'{0}' needs a read-side section of {1}; '{2}' is called both inside and outside of one, so put RequiresReadLock on it",
        "A helper that leaves the section to its callers has to say so.");

    /// <summary>IRCU007: Wrong RCU domain.</summary>
    public static DiagnosticDescriptor WrongRcuDomain { get; } = Create(
        "IRCU007", "Wrong RCU domain", Walks, DiagnosticSeverity.Warning,
        "'{0}' needs a read-side section of {1}, but only one of {2} is open; open the section on the domain that is used",
        "A section of one domain keeps nothing of another alive.");

    /// <summary>IRCU008: Section open on some paths only.</summary>
    public static DiagnosticDescriptor SectionOpenOnSomePathsOnly { get; } = Create(
        "IRCU008", "Section open on some paths only", Walks, DiagnosticSeverity.Warning,
        "'{0}' needs a read-side section of {1}, which is open on some of the paths that lead here only; open it before they part",
        "A walk reached both with and without a section is a walk without one.");

    /// <summary>IRCU009: Forged guard.</summary>
    public static DiagnosticDescriptor ForgedGuard { get; } = Create(
        "IRCU009", "Forged guard", Walks, DiagnosticSeverity.Warning,
        "{0} makes a '{1}' that opened no section; call the method that opens one",
        "A guard that was not returned by the opener proves nothing.");

    /// <summary>IRCU010: Assertion contradicts the section state.</summary>
    public static DiagnosticDescriptor AssertionContradictsSection { get; } = Create(
        "IRCU010", "Assertion contradicts the section state", Walks, DiagnosticSeverity.Warning,
        "'{0}' can never hold here: {1}; remove it or repair the section",
        "An assertion that cannot hold fails on its first run.");

    /// <summary>IRCU011: Contract lost in a delegate.</summary>
    public static DiagnosticDescriptor ContractLostInDelegate { get; } = Create(
        "IRCU011", "Contract lost in a delegate", Walks, DiagnosticSeverity.Warning,
        "'{0}' has the contract {1}, which is lost in the delegate type '{2}'; call it in a lambda that meets the "
        + "contract, or annotate the delegate type",
        "Whoever invokes the delegate cannot know what its target needs.");

    /// <summary>IRCU012: Bound sampled outside, walked inside.</summary>
    public static DiagnosticDescriptor BoundSampledOutsideSection { get; } = Create(
        "IRCU012", "Bound sampled outside, walked inside", Walks, DiagnosticSeverity.Warning,
        "'{0}' was read before the section opened, but decides what '{1}' walks in it; read it after opening",
        "What the bound spoke of may have been freed before the section opened.");
}
