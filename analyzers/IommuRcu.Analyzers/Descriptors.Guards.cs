// The descriptors of the band "guards".
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers;

public static partial class Descriptors
{
    /// <summary>IRCU030: Guard discarded.</summary>
    public static DiagnosticDescriptor GuardDiscarded { get; } = Create(
        "IRCU030", "Guard discarded", Guards, DiagnosticSeverity.Warning,
        "The guard returned by '{0}' is discarded, so its section never protects or never ends; hold it in a using",
        "A section lasts as long as its guard.");

    /// <summary>IRCU031: Guard without using.</summary>
    public static DiagnosticDescriptor GuardWithoutUsing { get; } = Create(
        "IRCU031", "Guard without using", Guards, DiagnosticSeverity.Info,
        "The guard '{0}' is disposed by hand and not in a finally; hold it in a using",
        "An exception between leaves the section open.");

    /// <summary>IRCU032: Section closed twice or never opened.</summary>
    public static DiagnosticDescriptor SectionClosedTwice { get; } = Create(
        "IRCU032", "Section closed twice or never opened", Guards, DiagnosticSeverity.Warning,
        "'{0}' closes a section of {1} that {2}; {3}",
        "An exit too many ends a section that somebody else relies on.");

    /// <summary>IRCU033: Section not closed on every path.</summary>
    public static DiagnosticDescriptor SectionNotClosed { get; } = Create(
        "IRCU033", "Section not closed on every path", Guards, DiagnosticSeverity.Warning,
        "The section that '{0}' opens is not closed on every path ({1} leaves it open); hold it in a using, or close it in a finally",
        "A section left open stops every grace period from then on.");

    /// <summary>IRCU034: Guard or gather copied.</summary>
    public static DiagnosticDescriptor GuardCopied { get; } = Create(
        "IRCU034", "Guard or gather copied", Guards, DiagnosticSeverity.Warning,
        "'{0}' is copied {1}, and each copy would be disposed on its own; pass it by {2}",
        "A copy closes the section, or syncs the gather, a second time.");

    /// <summary>IRCU035: Guard stored or returned.</summary>
    public static DiagnosticDescriptor GuardStoredOrReturned { get; } = Create(
        "IRCU035", "Guard stored or returned", Guards, DiagnosticSeverity.Warning,
        "The guard '{0}' is {1}, but '{2}' does not say AcquiresReadLock; annotate it, or keep the guard local",
        "Nobody can see any more where the section ends.");

    /// <summary>IRCU036: Guard crosses threads.</summary>
    public static DiagnosticDescriptor GuardCrossesThreads { get; } = Create(
        "IRCU036", "Guard crosses threads", Guards, DiagnosticSeverity.Warning,
        "The guard '{0}' is handed to another thread by {1}, but its section protects the thread that opened it; open a section there",
        "A thread-bound section protects the thread that opened it.");

    /// <summary>IRCU037: Redundant or empty section.</summary>
    public static DiagnosticDescriptor RedundantSection { get; } = Create(
        "IRCU037", "Redundant or empty section", Guards, DiagnosticSeverity.Info,
        "The section that '{0}' opens {1}; remove it",
        "It costs and protects nothing.");

    /// <summary>IRCU038: Result of a try-enter ignored.</summary>
    public static DiagnosticDescriptor TryEnterResultIgnored { get; } = Create(
        "IRCU038", "Result of a try-enter ignored", Guards, DiagnosticSeverity.Warning,
        "The result of '{0}' says whether a section was opened, and is ignored; test it",
        "Without the result nobody knows whether there is a section to close.");

    /// <summary>IRCU039: Section not closed if a call throws.</summary>
    public static DiagnosticDescriptor SectionNotClosedIfCallThrows { get; } = Create(
        "IRCU039", "Section not closed if a call throws", Guards, DiagnosticSeverity.Info,
        "The section that '{0}' opens stays open if '{1}' throws; hold it in a using, or close it in a finally",
        "A section left open stops every grace period from then on.");
}
