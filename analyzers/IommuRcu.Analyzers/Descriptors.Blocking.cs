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
        "IRCU024", "Unbounded loop inside a section", Blocking, DiagnosticSeverity.Info,
        "This loop has no bound, and a read-side section of {0} is open around it; close and reopen the section now and then",
        "A long section holds up every grace period.", isEnabledByDefault: false);

    /// <summary>IRCU025: Allocation inside a section.</summary>
    public static DiagnosticDescriptor AllocationInHotSection { get; } = Create(
        "IRCU025", "Allocation inside a section", Blocking, DiagnosticSeverity.Info,
        "{0} allocates inside a read-side section of {1}; allocate before it opens",
        "An allocation may start a collection while the section holds up the grace period.", isEnabledByDefault: false);

    /// <summary>IRCU026: Unknown delegate invoked inside a section.</summary>
    public static DiagnosticDescriptor UnknownDelegateInSection { get; } = Create(
        "IRCU026", "Unknown delegate invoked inside a section", Blocking, DiagnosticSeverity.Info,
        "The delegate '{0}' runs inside a read-side section of {1}, and nothing says that it does not block; invoke it after the section",
        "A caller's code inside the section can block or wait for a grace period.");

    /// <summary>IRCU027: Lock inversion with a grace period.</summary>
    public static DiagnosticDescriptor LockInversionWithGracePeriod { get; } = Create(
        "IRCU027", "Lock inversion with a grace period", Blocking, DiagnosticSeverity.Warning,
        "'{0}' waits for a grace period while '{1}' is held, which a reader or a callback takes as well; release it first",
        "The reader waits for the lock, the lock's owner for the reader.");
}
