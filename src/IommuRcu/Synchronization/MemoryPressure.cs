// Memory pressure: when the collector finds memory scarce, the backlog is run at once.
namespace IommuRcu;

/// <summary>Wakes the callback thread after a full collection that found memory load high.</summary>
internal static class MemoryPressure
{
    private static long _flushes;
    private static int _watching;

    internal static long Flushes => Volatile.Read(ref _flushes);

    /// <summary>Begins to watch, once.</summary>
    internal static void Watch()
    {
        if (Interlocked.Exchange(ref _watching, 1) == 0)
        {
            _ = new Sentinel();
        }
    }

    internal static void Look(long load, long highLoad)
    {
        if (load >= highLoad)
        {
            Interlocked.Increment(ref _flushes);
            CallbackThread.Hurry();
        }
    }

    // Dies at each collection of its generation and comes back; after two, only full collections reach it.
    private sealed class Sentinel
    {
        ~Sentinel()
        {
            if (Environment.HasShutdownStarted)
            {
                return;
            }

            GCMemoryInfo info = GC.GetGCMemoryInfo(GCKind.Any);
            Look(info.MemoryLoadBytes, info.HighMemoryLoadThresholdBytes);
            GC.ReRegisterForFinalize(this);
        }
    }
}
