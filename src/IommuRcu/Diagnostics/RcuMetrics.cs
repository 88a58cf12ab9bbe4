// The meter `IommuRcu`: what dotnet-counters shows.
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace IommuRcu;

/// <summary>Instruments of the runtime: <c>dotnet-counters monitor --counters IommuRcu</c>.</summary>
/// <remarks>They read counters that exist anyway, when they are asked. Only latency is measured, and only while somebody listens.</remarks>
internal static class RcuMetrics
{
    private static readonly Meter _meter = new("IommuRcu");

    private static readonly Histogram<double> _latency = _meter.CreateHistogram<double>(
        "grace_period.duration", "us", "How long grace periods took.");

    static RcuMetrics()
    {
        Counter("grace_periods", "{grace_period}", "Grace periods of the thread-bound domain that ended.", static () => (long)RcuGracePeriods.Instance.Completed);
        Counter("barriers", "{barrier}", "Process-wide barriers passed.", static () => (long)ProcessWideBarrier.Passed);
        Counter("callbacks.queued", "{callback}", "Callbacks queued in the thread-bound domain.", static () => (long)ReaderRegistry.CountQueued());
        Counter("callbacks.run", "{callback}", "Callbacks of the thread-bound domain that ran.", static () => (long)ReaderRegistry.CountRun());
        Counter("callbacks.failed", "{callback}", "Callbacks that threw.", static () => CallbackFailures.Count);
        Counter("callbacks.blocks_freed", "{block}", "Native blocks freed after a grace period.", static () => RcuCallbacks.BlocksFreed);
        Counter("callbacks.expedited", "{time}", "Times a backlog made the callback thread hurry.", static () => RcuCallbacks.Expedited);
        Counter("callbacks.backpressure.waits", "{wait}", "Times a thread was made to wait for its backlog.", static () => RcuCallbacks.Waits);
        Counter("callbacks.backpressure.skipped", "{time}", "Times it was not, because it may not wait.", static () => RcuCallbacks.Skips);
        Counter("memory_pressure.flushes", "{flush}", "Times scarce memory made the backlog run at once.", static () => MemoryPressure.Flushes);
        Counter("stalls", "{report}", "Stall reports, of open sections and of threads that ended in one.", static () => StallReports.Stalls);
        _meter.CreateObservableUpDownCounter("readers", static () => ReaderRegistry.CountLiving(), "{thread}", "Living threads that have opened a section.");
    }

    internal static bool MeasuresLatency => _latency.Enabled || RcuEventSource.Log.IsEnabled();

    /// <summary>Publishes the instruments, if that has not happened.</summary>
    internal static void Publish()
    {
        // Running the class constructor is all.
    }

    internal static void GracePeriodOver(GracePeriodEngine domain, ulong number, long began)
    {
        if (began != 0 && MeasuresLatency)
        {
            double microseconds = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
            _latency.Record(microseconds, new KeyValuePair<string, object?>("domain", domain.Name));
            RcuEventSource.Log.GracePeriodEnded(domain.Name, (long)number, microseconds);
        }
    }

    private static void Counter(string name, string unit, string description, Func<long> read) =>
        _meter.CreateObservableCounter(name, read, unit, description);
}
