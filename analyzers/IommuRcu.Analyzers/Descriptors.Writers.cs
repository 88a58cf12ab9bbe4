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

    /// <summary>IRCU072: Non-atomic entry update.</summary>
    public static DiagnosticDescriptor NonAtomicEntryUpdate { get; } = Create(
        "IRCU072", "Non-atomic entry update", Writers, DiagnosticSeverity.Warning,
        "'{0}' is read, changed and written back, and a change made in between is lost; use a compare-exchange",
        "The hardware, or another writer, may have set a bit of the entry in between.");

    /// <summary>IRCU073: RCU pointer read twice where one snapshot is meant.</summary>
    public static DiagnosticDescriptor PointerReadTwice { get; } = Create(
        "IRCU073", "RCU pointer read twice where one snapshot is meant", Writers, DiagnosticSeverity.Info,
        "'{0}' is read here a second time, and may be null or another object by now; read it once, into a local",
        "A section keeps what was read alive; it does not keep the pointer from being changed.");
}
