// Floods: a thread that queues faster than callbacks run is answered by hurry, then by making it wait.
using System.Runtime.CompilerServices;

namespace IommuRcu;

internal sealed unsafe partial class RcuCallbacks
{
    /// <summary>How often a thread looks at its own backlog; a power of two.</summary>
    internal const int CheckEvery = 512;

    /// <summary>At this backlog of one thread the callback thread is told to hurry.</summary>
    private const int HurryAt = 4096;

    /// <summary>The longest that one call waits for the backlog to shrink: a reader or a callback may depend on the caller.</summary>
    private const int LongestWaitMilliseconds = 100;

    private static long _limit = 65536;
    private static long _expedited;
    private static long _waits;
    private static long _skips;

    /// <summary>The backlog of one thread at which it is made to wait.</summary>
    internal static long Limit { get => Volatile.Read(ref _limit); set => Volatile.Write(ref _limit, value); }

    internal static long Expedited => Volatile.Read(ref _expedited);

    internal static long Waits => Volatile.Read(ref _waits);

    internal static long Skips => Volatile.Read(ref _skips);

    /// <summary>Answers a backlog: hurries the callback thread, then holds up the caller where it may wait.</summary>
    /// <param name="backlog">Counts the callbacks that have not run. A struct: nothing is allocated here, even the first time.</param>
    /// <param name="mayWait">Whether the caller may wait.</param>
    internal static void Answer<TBacklog>(TBacklog backlog, bool mayWait)
        where TBacklog : struct, IBacklog
    {
        long now = backlog.Count;
        if (now >= HurryAt)
        {
            Interlocked.Increment(ref _expedited);
            CallbackThread.Wake();
        }

        long limit = Limit;
        if (now < limit)
        {
            return;
        }

        if (!mayWait)
        {
            Interlocked.Increment(ref _skips);
            return;
        }

        Interlocked.Increment(ref _waits);
        long giveUp = Environment.TickCount64 + LongestWaitMilliseconds;
        while (backlog.Count > limit / 2)
        {
            long left = giveUp - Environment.TickCount64;
            if (left <= 0)
            {
                return;
            }

            CallbackThread.WaitForProgress((int)left);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CheckBacklog(ReaderSlot* slot, ulong queued, int weight = 1) =>
        Answer(new SlotBacklog(slot, queued, weight), mayWait: !slot->InSection && !slot->RunsCallbacks);

    /// <summary>What waits to be run.</summary>
    internal interface IBacklog
    {
        /// <summary>Gets how much that is now.</summary>
        long Count { get; }
    }

    private readonly struct SlotBacklog(ReaderSlot* slot, ulong queued, int weight) : IBacklog
    {
        private readonly ReaderSlot* _slot = slot;

        public long Count => (long)(queued - Volatile.Read(ref _slot->Done)) * weight;
    }
}
