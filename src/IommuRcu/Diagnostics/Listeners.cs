// Where the code of listeners runs: on the thread pool, never on a thread that leads a grace period, runs callbacks or holds a lock.
using System.Diagnostics.CodeAnalysis;

namespace IommuRcu;

/// <summary>Hands measurements and events to their listeners, one after the other, in order.</summary>
/// <remarks>A listener that throws is counted; one that blocks delays other listeners and nothing else: beyond a limit what is posted is dropped, and counted.</remarks>
internal static class Listeners
{
    /// <summary>How much may wait for a slow listener.</summary>
    internal const int Capacity = 4096;

    private static readonly Queue<Action> _posted = new();
    private static bool _drains;
    private static long _failures;
    private static long _dropped;

    internal static long Failures => Volatile.Read(ref _failures);

    internal static long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Runs this soon, on a pool thread.</summary>
    internal static void Post(Action tell)
    {
        bool starts;
        using (Gate.Enter(_posted))
        {
            if (_posted.Count == Capacity)
            {
                _dropped++;
                return;
            }

            _posted.Enqueue(tell);
            starts = !_drains;
            _drains = true;
        }

        if (starts)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static _ => Drain(), null);
        }
    }

    /// <summary>Runs a listener's code here and now, and counts what it throws.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "A listener's failure is its own; it is counted.")]
    internal static void Guard(Action tell)
    {
        try
        {
            tell();
        }
        catch (Exception)
        {
            Interlocked.Increment(ref _failures);
        }
    }

    private static void Drain()
    {
        while (true)
        {
            Action? tell;
            using (Gate.Enter(_posted))
            {
                if (!_posted.TryDequeue(out tell))
                {
                    _drains = false;
                    return;
                }
            }

            Guard(tell);
        }
    }
}
