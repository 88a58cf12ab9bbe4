// The meter `IommuRcu`: what dotnet-counters shows.
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace IommuRcu;

/// <summary>Instruments of the runtime: <c>dotnet-counters monitor --counters IommuRcu</c>.</summary>
/// <remarks>They read counters that exist anyway, when they are asked. Only latency is measured, and only while somebody listens.</remarks>
internal static class RcuMetrics
{
    private static readonly Meter _meter = new("IommuRcu");
    private static Histogram<double>? _latency;
    private static int _begun;
    private static volatile bool _published;

    // Before publication nobody can listen; and the event source is not made here, on a thread that may lead a grace period.
    internal static bool MeasuresLatency => _published && (_latency is { Enabled: true } || RcuEventSource.Log.IsEnabled());

    /// <summary>Publishes the instruments, once. Runs listeners, so the caller holds no lock; what they throw is counted.</summary>
    internal static void Publish()
    {
        if (Interlocked.Exchange(ref _begun, 1) != 0)
        {
            return;
        }

        Listeners.Guard(static () => _ = RcuEventSource.Log);
        Listeners.Guard(static () => _latency = _meter.CreateHistogram<double>("grace_period.duration", "us", "How long grace periods took."));
        Counter("grace_periods", "{grace_period}", "Grace periods of the thread-bound domain that ended.", static () => (long)RcuGracePeriods.Instance.Completed);
        Counter("barriers", "{barrier}", "Process-wide barriers passed.", static () => (long)ProcessWideBarrier.Passed);
        Counter("callbacks.queued", "{callback}", "Callbacks queued in the thread-bound domain.", static () => (long)ReaderRegistry.CountQueued());
        Counter("callbacks.run", "{callback}", "Callbacks of the thread-bound domain that ran.", static () => (long)ReaderRegistry.CountRun());
        Counter("sleepable.grace_periods", "{grace_period}", "Grace periods of sleepable domains that ended.", static () => SleepableReaders.Ended);
        Counter("sleepable.callbacks.queued", "{callback}", "Callbacks queued in sleepable domains, and seen by the callback thread.", static () => SleepableCallbacks.TotalTaken);
        Counter("sleepable.callbacks.run", "{callback}", "Callbacks of sleepable domains that ran.", static () => SleepableCallbacks.TotalRun);
        Counter("callbacks.failed", "{callback}", "Callbacks of any domain that threw.", static () => CallbackFailures.Count);
        Counter("callbacks.blocks_freed", "{block}", "Native blocks freed after a grace period.", static () => RcuCallbacks.BlocksFreed);
        Counter("callbacks.expedited", "{time}", "Times a backlog made the callback thread hurry.", static () => RcuCallbacks.Expedited);
        Counter("callbacks.backpressure.waits", "{wait}", "Times a thread was made to wait for its backlog.", static () => RcuCallbacks.Waits);
        Counter("callbacks.backpressure.skipped", "{time}", "Times it was not, because it may not wait.", static () => RcuCallbacks.Skips);
        Counter("memory_pressure.flushes", "{flush}", "Times scarce memory made the backlog run at once.", static () => MemoryPressure.Flushes);
        Counter("stalls", "{report}", "Stall reports, of open sections and of threads that ended in one.", static () => StallReports.Stalls);
        Listeners.Guard(static () => _meter.CreateObservableUpDownCounter(
            "readers", static () => ReaderRegistry.CountLiving(), "{thread}", "Living threads that have opened a section."));
        _published = true;
    }

    internal static void GracePeriodOver(GracePeriodEngine domain, ulong number, long began)
    {
        if (began != 0 && MeasuresLatency)
        {
            double microseconds = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
            Tell(domain, number, microseconds);
        }
    }

    // Apart, so that nothing is allocated where nobody listens.
    private static void Tell(GracePeriodEngine domain, ulong number, double microseconds) => Listeners.Post(() =>
    {
        Listeners.Guard(() => _latency?.Record(microseconds, new KeyValuePair<string, object?>("domain", domain.Name)));
        RcuEventSource.Log.GracePeriodEnded(domain.Name, (long)number, microseconds);
    });

    private static void Counter(string name, string unit, string description, Func<long> read) =>
        Listeners.Guard(() => _meter.CreateObservableCounter(name, read, unit, description));
}
