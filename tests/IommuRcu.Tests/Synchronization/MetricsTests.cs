// The meter and the event source, as an in-process listener sees them.
using System.Diagnostics.Metrics;

namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed class MetricsTests
{
    [Fact]
    public void SleepableDomains_AreCountedAndTimed()
    {
        var values = new Dictionary<string, long>();
        string? domain = null;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "IommuRcu")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            if (instrument.Name == "grace_period.duration" && tags.Length == 1 && tags[0] is { Key: "domain", Value: "metered domain" })
            {
                Volatile.Write(ref domain, (string)tags[0].Value!);
            }
        });
        using var rcu = new SleepableRcu("metered domain");
        rcu.Barrier();
        listener.Start();
        listener.RecordObservableInstruments();
        var before = new Dictionary<string, long>(values);

        rcu.Synchronize();
        rcu.Call(0, static _ => { });
        rcu.Call(0, static _ => throw new FormatException());
        rcu.Barrier();
        listener.RecordObservableInstruments();

        Assert.True(values["sleepable.grace_periods"] >= before["sleepable.grace_periods"] + 2);
        Assert.Equal(before["sleepable.callbacks.queued"] + 2, values["sleepable.callbacks.queued"]);
        Assert.Equal(before["sleepable.callbacks.run"] + 2, values["sleepable.callbacks.run"]);
        Assert.Equal(before["callbacks.failed"] + 1, values["callbacks.failed"]);
        Assert.Equal(before["callbacks.run"], values["callbacks.run"]);
        Poll.Until(() => Volatile.Read(ref domain) != null, "the duration of the domain's grace period");
    }

    [Fact]
    public void Instruments_CountWhatHappens()
    {
        var values = new Dictionary<string, double>();
        int latencies = 0;
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == "IommuRcu")
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<int>((instrument, value, _, _) => values[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            if (instrument.Name == "grace_period.duration" && value > 0)
            {
                Interlocked.Increment(ref latencies);
            }
        });
        using (Rcu.ReadLock())
        {
        }

        Rcu.Barrier(); // creates everything
        listener.Start();
        listener.RecordObservableInstruments();
        var before = new Dictionary<string, double>(values);

        using (Rcu.ReadLock())
        {
        }

        Rcu.Synchronize();
        Rcu.Call(0, static _ => { });
        Rcu.Call(0, static _ => throw new FormatException());
        Rcu.Barrier();
        listener.RecordObservableInstruments();

        Assert.True(values["grace_periods"] > before["grace_periods"]);
        Assert.True(values["barriers"] >= before["barriers"] + 2);
        Assert.Equal(before["callbacks.queued"] + 2, values["callbacks.queued"]);
        Assert.Equal(before["callbacks.run"] + 2, values["callbacks.run"]);
        Assert.Equal(before["callbacks.failed"] + 1, values["callbacks.failed"]);
        Assert.True(values["readers"] >= 2); // this thread and the callback thread
        Assert.Contains("stalls", values.Keys);
        Assert.Contains("callbacks.backpressure.waits", values.Keys);
        Assert.Contains("callbacks.backpressure.skipped", values.Keys);
        Poll.Until(() => Volatile.Read(ref latencies) > 0, "the duration of a grace period");
    }
}
