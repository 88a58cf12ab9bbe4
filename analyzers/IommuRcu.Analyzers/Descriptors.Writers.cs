// The descriptors of the band "writers, publication and the iotlb".
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers;

public static partial class Descriptors
{
    /// <summary>IRCU070: Update without the writer lock.</summary>
    public static DiagnosticDescriptor UpdateWithoutWriterLock { get; } = Create(
        "IRCU070", "Update without the writer lock", Writers, DiagnosticSeverity.Warning,
        "'{0}' needs the writer lock '{1}', which is not held here; take it around the update",
        "Two writers at once lose an update or publish a torn structure.");

    /// <summary>IRCU071: Plain write after publication.</summary>
    public static DiagnosticDescriptor PlainWriteAfterPublication { get; } = Create(
        "IRCU071", "Plain write after publication", Writers, DiagnosticSeverity.Warning,
        "'{0}' is written plainly after '{1}' published it; write before publishing, or publish a new version",
        "Readers can see the object half written.");

    /// <summary>IRCU072: Non-atomic entry update.</summary>
    public static DiagnosticDescriptor NonAtomicEntryUpdate { get; } = Create(
        "IRCU072", "Non-atomic entry update", Writers, DiagnosticSeverity.Warning,
        "'{0}' is read, changed and written back, and a change made in between is lost; use a compare-exchange",
        "The hardware, or another writer, may have set a bit of the entry in between.");

    /// <summary>IRCU073: RCU pointer read twice.</summary>
    public static DiagnosticDescriptor PointerReadTwice { get; } = Create(
        "IRCU073", "RCU pointer read twice", Writers, DiagnosticSeverity.Info,
        "'{0}' is read twice in one section and may differ; read it once into a local",
        "Two reads are two snapshots.");

    /// <summary>IRCU074: Write through a reader's reference.</summary>
    public static DiagnosticDescriptor WriteThroughReaderReference { get; } = Create(
        "IRCU074", "Write through a reader's reference", Writers, DiagnosticSeverity.Warning,
        "'{0}' is written through a reference that a reader obtained; update as a writer",
        "Other readers see the change half made.");

    /// <summary>IRCU075: Compare, then use the other side.</summary>
    public static DiagnosticDescriptor ComparedThenOtherSideUsed { get; } = Create(
        "IRCU075", "Compare, then use the other side", Writers, DiagnosticSeverity.Info,
        "'{0}' was compared with '{1}', and the one without a dependency is used; use the value that was read",
        "The dependency that orders the reads is lost.", isEnabledByDefault: false);

    /// <summary>IRCU076: Unlinked entry never invalidated.</summary>
    public static DiagnosticDescriptor UnlinkedNeverInvalidated { get; } = Create(
        "IRCU076", "Unlinked entry never invalidated", Writers, DiagnosticSeverity.Warning,
        "'{0}' was unlinked, but neither flushed nor gathered; flush or gather it before returning",
        "Devices keep walking what is no longer in the table.");

    /// <summary>IRCU077: IOVA released before its invalidation.</summary>
    public static DiagnosticDescriptor IovaReleasedBeforeInvalidation { get; } = Create(
        "IRCU077", "IOVA released before its invalidation", Writers, DiagnosticSeverity.Warning,
        "'{0}' releases an IOVA whose IOTLB flush comes later; flush first",
        "The next owner of the IOVA is reached through a stale translation.");

    /// <summary>IRCU080: Raw pointer walk hides from the analysis.</summary>
    public static DiagnosticDescriptor RawPointerWalk { get; } = Create(
        "IRCU080", "Raw pointer walk hides from the analysis", Writers, DiagnosticSeverity.Info,
        "Pointer arithmetic on '{0}' hides a walk from the analysis; use the walk",
        "The analysis cannot see sections around what it cannot see.");
}
