// Grace periods and callbacks of this process, heard from the runtime's own meter.
using System.Diagnostics.Metrics;

namespace DirtyTracking.Migration;

/// <summary>Listens to the meter <c>IommuRcu</c>, as dotnet-counters does.</summary>
internal sealed class RuntimeCounters : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, long> _values = [];

    internal RuntimeCounters()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name == "IommuRcu" && instrument.IsObservable)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => Add(instrument.Name, value));
        _listener.Start();
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>Reads an instrument now, all its domains together.</summary>
    internal long Read(string name)
    {
        _values.Clear();
        _listener.RecordObservableInstruments();
        return _values.GetValueOrDefault(name);
    }

    private void Add(string name, long value) => _values[name] = _values.GetValueOrDefault(name) + value;
}
