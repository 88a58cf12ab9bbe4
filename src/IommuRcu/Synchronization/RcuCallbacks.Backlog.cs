// Floods: a thread that queues faster than callbacks run is answered by hurry, then by making it wait.
using System.Runtime.CompilerServices;

namespace IommuRcu;

internal sealed unsafe partial class RcuCallbacks
{
    /// <summary>A thread that is far from its limit looks at its backlog at least this often; a power of two.</summary>
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
            CallbackThread.Hurry();
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
        try
        {
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
        catch (ThreadInterruptedException)
        {
            Thread.CurrentThread.Interrupt(); // the callback is queued: what must not fail any more does not, and the caller's next wait does
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CheckBacklog(ReaderSlot* slot)
    {
        var backlog = new SlotBacklog(slot);
        Answer(backlog, mayWait: !slot->InSection && !slot->RunsCallbacks);

        // Callbacks and blocks are counted apart: half of what is left for each, so that together they do not pass the limit unseen. From the limit
        // on every call looks.
        ulong step = (ulong)Math.Clamp((Limit - backlog.Count) / 2, 1, CheckEvery);
        slot->LookAt = slot->Queued + step;
        slot->LookAtBlocks = slot->BlocksQueued + step;
    }

    /// <summary>What waits to be run.</summary>
    internal interface IBacklog
    {
        /// <summary>Gets how much that is now.</summary>
        long Count { get; }
    }

    private readonly struct SlotBacklog(ReaderSlot* slot) : IBacklog
    {
        private readonly ReaderSlot* _slot = slot;

        public long Count =>
            (long)(_slot->Queued - Volatile.Read(ref _slot->Done)) + (long)(_slot->BlocksQueued - Volatile.Read(ref _slot->BlocksDone));
    }
}
