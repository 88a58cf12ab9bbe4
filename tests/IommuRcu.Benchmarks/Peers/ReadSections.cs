// The read side of each contender: a section opened around one load of a shared word, and closed.
using System.Runtime.CompilerServices;
using FASTER.core;

namespace IommuRcu.Benchmarks.Peers;

/// <summary>Loops of sections; each is called with the number of sections.</summary>
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

    /// <summary>Each section in a call of its own: outside of a loop nothing is hoisted, and the thread's slot is looked up every time.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void RcuCalls(long count)
    {
        for (long i = 0; i < count; i++)
        {
            One();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void One()
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
}
