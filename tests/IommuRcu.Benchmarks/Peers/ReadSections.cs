// The read side of each contender: a section opened around one load of a shared word, and closed.
using System.Runtime.CompilerServices;
using FASTER.core;

namespace IommuRcu.Benchmarks.Peers;

/// <summary>
/// Loops of sections; each is called with the number of sections. All have the same shape: in the first kind the section is written in the loop, where
/// its calls are inlined if the contender's own code allows that; in the second it stands in a method of its own that is never inlined,
/// so that nothing is hoisted out of the loop and per-thread state is looked up every time, as in code that opens one section a call.
/// </summary>
internal static class ReadSections
{
    private static readonly object _monitor = new();
    private static readonly Lock _lock = new();
    private static readonly ReaderWriterLockSlim _readerWriterLock = new();
    private static readonly LightEpoch _epoch = new();
    private static long _shared = Environment.ProcessId;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Rcu(long count)
    {
        for (long i = 0; i < count; i++)
        {
            using (IommuRcu.Rcu.ReadLock())
            {
                Volatile.Read(ref _shared);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void LightEpoch(long count)
    {
        for (long i = 0; i < count; i++)
        {
            _epoch.Resume();
            Volatile.Read(ref _shared);
            _epoch.Suspend();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void ReaderWriterLock(long count)
    {
        for (long i = 0; i < count; i++)
        {
            _readerWriterLock.EnterReadLock();
            Volatile.Read(ref _shared);
            _readerWriterLock.ExitReadLock();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Monitor(long count)
    {
        for (long i = 0; i < count; i++)
        {
            lock (_monitor)
            {
                Volatile.Read(ref _shared);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Lock(long count)
    {
        for (long i = 0; i < count; i++)
        {
            lock (_lock)
            {
                Volatile.Read(ref _shared);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void RcuCalls(long count)
    {
        for (long i = 0; i < count; i++)
        {
            OneOfRcu();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OneOfRcu()
    {
        using (IommuRcu.Rcu.ReadLock())
        {
            Volatile.Read(ref _shared);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void LightEpochCalls(long count)
    {
        for (long i = 0; i < count; i++)
        {
            OneOfLightEpoch();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OneOfLightEpoch()
    {
        _epoch.Resume();
        Volatile.Read(ref _shared);
        _epoch.Suspend();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void ReaderWriterLockCalls(long count)
    {
        for (long i = 0; i < count; i++)
        {
            OneOfReaderWriterLock();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OneOfReaderWriterLock()
    {
        _readerWriterLock.EnterReadLock();
        Volatile.Read(ref _shared);
        _readerWriterLock.ExitReadLock();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void MonitorCalls(long count)
    {
        for (long i = 0; i < count; i++)
        {
            OneOfMonitor();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OneOfMonitor()
    {
        lock (_monitor)
        {
            Volatile.Read(ref _shared);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void LockCalls(long count)
    {
        for (long i = 0; i < count; i++)
        {
            OneOfLock();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void OneOfLock()
    {
        lock (_lock)
        {
            Volatile.Read(ref _shared);
        }
    }
}
