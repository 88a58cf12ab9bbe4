// The descriptors of the band "callbacks and shutdown".
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers;

public static partial class Descriptors
{
    /// <summary>IRCU060: Reclaim callback blocks or waits for a grace period.</summary>
    public static DiagnosticDescriptor ReclaimCallbackBlocks { get; } = Create(
        "IRCU060", "Reclaim callback blocks or waits for a grace period", Callbacks, DiagnosticSeverity.Warning,
        "'{0}' {1} in a reclaim callback, which holds up every callback behind it; move it out",
        "Callbacks run one after the other, on the thread that the grace period depends on.");

    /// <summary>IRCU061: Capturing reclaim callback.</summary>
    public static DiagnosticDescriptor CapturingReclaimCallback { get; } = Create(
        "IRCU061", "Capturing reclaim callback", Callbacks, DiagnosticSeverity.Info,
        "This reclaim callback captures {0} and so allocates a closure for each call; make it static and pass the state",
        "Retiring is a hot path.");

    /// <summary>IRCU062: Reclaim callback throws.</summary>
    public static DiagnosticDescriptor ReclaimCallbackThrows { get; } = Create(
        "IRCU062", "Reclaim callback throws", Callbacks, DiagnosticSeverity.Warning,
        "This throw leaves a reclaim callback; handle it inside",
        "Nobody is there to catch it.");

    /// <summary>IRCU064: Disposed without Barrier.</summary>
    public static DiagnosticDescriptor DisposedWithoutBarrier { get; } = Create(
        "IRCU064", "Disposed without Barrier", Callbacks, DiagnosticSeverity.Warning,
        "'{0}' is disposed while callbacks that need it may be queued ('{1}'); wait for them first",
        "The callback runs after its pool is gone.");

    /// <summary>IRCU065: Barrier and Synchronize confused.</summary>
    public static DiagnosticDescriptor BarrierAndSynchronizeConfused { get; } = Create(
        "IRCU065", "Barrier and Synchronize confused", Callbacks, DiagnosticSeverity.Warning,
        "'{0}' waits for readers, not for the callbacks that '{1}' queued; use Barrier",
        "A grace period that ended says nothing about the callbacks queued behind it.");

    /// <summary>IRCU066: Retire after shutdown.</summary>
    public static DiagnosticDescriptor RetireAfterShutdown { get; } = Create(
        "IRCU066", "Retire after shutdown", Callbacks, DiagnosticSeverity.Warning,
        "'{0}' comes after '{1}' was shut down; retire first, wait for the callbacks, then shut down",
        "What is retired by then is freed into a pool that is gone, or never.");
}
