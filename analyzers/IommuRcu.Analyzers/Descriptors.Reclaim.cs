// The descriptors of the band "reclaim".
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers;

public static partial class Descriptors
{
    /// <summary>IRCU040: Direct free bypassing the grace period.</summary>
    public static DiagnosticDescriptor DirectFree { get; } = Create(
        "IRCU040", "Direct free bypassing the grace period", Reclaim, DiagnosticSeverity.Warning,
        "'{0}' frees '{1}' at once, although {2}; put it on the gather, retire it, or wait for a grace period first",
        "A reader that reached the page before it was unlinked still stands on it.");

    /// <summary>IRCU041: Retired before its IOTLB flush.</summary>
    public static DiagnosticDescriptor RetiredBeforeFlush { get; } = Create(
        "IRCU041", "Retired before its IOTLB flush", Reclaim, DiagnosticSeverity.Warning,
        "'{0}' retires '{1}', which was gathered and whose IOTLB flush is missing; sync the gather first",
        "A grace period waits for software readers alone; the device still walks the page.");

    /// <summary>IRCU042: Retired while still linked.</summary>
    public static DiagnosticDescriptor RetiredWhileLinked { get; } = Create(
        "IRCU042", "Retired while still linked", Reclaim, DiagnosticSeverity.Warning,
        "'{0}' retires '{1}', which is still linked; unlink it first",
        "A reader that comes after the grace period began can still find it.");

    /// <summary>IRCU043: Freed or retired twice.</summary>
    public static DiagnosticDescriptor FreedTwice { get; } = Create(
        "IRCU043", "Freed or retired twice", Reclaim, DiagnosticSeverity.Warning,
        "'{0}' is freed or retired here a second time; remove one of the two",
        "The second free hits whoever owns the page by then.");

    /// <summary>IRCU044: Used after retire.</summary>
    public static DiagnosticDescriptor UsedAfterRetire { get; } = Create(
        "IRCU044", "Used after retire", Reclaim, DiagnosticSeverity.Warning,
        "'{0}' is used after '{1}' took it; use it before",
        "The page may be free, or another's, by now.");

    /// <summary>IRCU045: Gather never synced.</summary>
    public static DiagnosticDescriptor GatherNeverSynced { get; } = Create(
        "IRCU045", "Gather never synced", Reclaim, DiagnosticSeverity.Warning,
        "The gather '{0}' is not synced on every path; hold it in a using, or sync it in a finally",
        "What is on its list is neither flushed nor freed.");

    /// <summary>IRCU046: Gather used after sync.</summary>
    public static DiagnosticDescriptor GatherUsedAfterSync { get; } = Create(
        "IRCU046", "Gather used after sync", Reclaim, DiagnosticSeverity.Warning,
        "The gather '{0}' is used after it was disposed; begin a new one",
        "Its list has been handed on.");

    /// <summary>IRCU048: Freed to the wrong allocator.</summary>
    public static DiagnosticDescriptor FreedToWrongAllocator { get; } = Create(
        "IRCU048", "Freed to the wrong allocator", Reclaim, DiagnosticSeverity.Warning,
        "'{0}' was allocated from '{1}', and goes to '{2}'; give it back where it came from",
        "An allocator that is given a page of another hands it out a second time, or corrupts its own lists.");

    /// <summary>IRCU051: Synchronize for every item of a loop.</summary>
    public static DiagnosticDescriptor WaitForEveryItem { get; } = Create(
        "IRCU051", "Synchronize for every item of a loop", Reclaim, DiagnosticSeverity.Info,
        "'{0}' waits for a grace period for every item of this loop; gather what it is waited for, and wait once behind the loop",
        "One grace period serves everything that was unlinked before it began.");
}
