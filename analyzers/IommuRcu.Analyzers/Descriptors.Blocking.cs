// The descriptors of the band "blocking".
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers;

public static partial class Descriptors
{
    /// <summary>IRCU020: Grace-period wait inside a section.</summary>
    public static DiagnosticDescriptor GracePeriodWaitInSection { get; } = Create(
        "IRCU020", "Grace-period wait inside a section", Blocking, DiagnosticSeverity.Warning,
        "'{0}' waits for a grace period inside a read-side section of {1}, which cannot end before it returns; move the "
        + "wait after the section",
        "The grace period waits for this very section: the thread waits for itself.");

    /// <summary>IRCU022: Blocking call inside a section.</summary>
    public static DiagnosticDescriptor BlockingCallInSection { get; } = Create(
        "IRCU022", "Blocking call inside a section", Blocking, DiagnosticSeverity.Warning,
        "'{0}' may block inside a read-side section of {1} and so holds up every grace period; move it out of the section",
        "Memory piles up for as long as one reader sleeps.");

    /// <summary>IRCU023: Await or yield inside a section.</summary>
    public static DiagnosticDescriptor SuspensionInSection { get; } = Create(
        "IRCU023", "Await or yield inside a section", Blocking, DiagnosticSeverity.Warning,
        "'{0}' suspends the method inside a thread-bound read-side section of {1}; close the section first, or use a sleepable one",
        "The section belongs to the thread, and the method may be resumed on another one.");

    /// <summary>IRCU024: Unbounded loop inside a section.</summary>
    public static DiagnosticDescriptor UnboundedLoopInSection { get; } = Create(
        "IRCU024", "Unbounded loop inside a section", Blocking, DiagnosticSeverity.Warning,
        "This loop {0} inside a read-side section, which holds up every grace period meanwhile; close the section around it, or in every turn",
        "A section that has no end in sight keeps all memory that waits to be freed.",
        isEnabledByDefault: false);

    /// <summary>IRCU025: Allocation inside a hot section.</summary>
    public static DiagnosticDescriptor AllocationInSection { get; } = Create(
        "IRCU025", "Allocation inside a hot section", Blocking, DiagnosticSeverity.Warning,
        "Inside a read-side section of {1}, {0} is allocated; allocate it before, or do without",
        "An allocation may start a garbage collection, which stops the reader with its section open.",
        isEnabledByDefault: false);

    /// <summary>IRCU026: Unknown delegate invoked inside a section.</summary>
    public static DiagnosticDescriptor UnknownDelegateInSection { get; } = Create(
        "IRCU026", "Unknown delegate invoked inside a section", Blocking, DiagnosticSeverity.Info,
        "'{0}' is invoked inside a read-side section of {1}, and may block or wait for a grace period; invoke it behind the section, or say in a contract "
        + "how it runs",
        "What a delegate from elsewhere does inside the section, whoever made it does not know to be inside.");

    /// <summary>IRCU027: Lock inversion with a grace period.</summary>
    public static DiagnosticDescriptor LockInversion { get; } = Create(
        "IRCU027", "Lock inversion with a grace period", Blocking, DiagnosticSeverity.Warning,
        "'{0}' waits for {1} with '{2}' held, which {3} takes{4}: each waits for the other; give the lock back first",
        "The waiting thread has the lock, and the one it waits for needs it to go on: neither ever does.");
}
