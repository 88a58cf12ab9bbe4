// Which threads are in the middle of a DMA: what an invalidation waits for before it returns.
namespace IommuRcu.Emulation;

/// <summary>One thread's place: odd while a DMA is in flight, and another number for each DMA.</summary>
/// <remarks>The fields after the sequence are the thread's own counters; the padding keeps two threads' slots off one cache line.</remarks>
internal sealed class DmaSlot(object owner, DmaSlot? next)
{
#pragma warning disable CS0169, IDE0051 // Padding.
    private readonly long _pad0, _pad1, _pad2, _pad3, _pad4, _pad5, _pad6;
#pragma warning restore CS0169, IDE0051
    private long _sequence;

    internal object Owner { get; } = owner;

    internal DmaSlot? NextOfThread { get; } = next;

    internal Thread Thread { get; } = Thread.CurrentThread;

    internal long Hits;
    internal long Misses;
    internal long Restarts;
    internal long Transfers;
    internal long Bytes;

    /// <summary>Announces a DMA. Nothing of it may be read before.</summary>
    internal void Enter()
    {
        // A full fence: an invalidation that does not see this number happened before every look-up of this DMA, and they see its work.
        Interlocked.Exchange(ref _sequence, _sequence + 1);
    }

    /// <summary>Ends the DMA: all its reads and writes of memory are done.</summary>
    internal void Exit() => Volatile.Write(ref _sequence, _sequence + 1);

    /// <summary>Returns when the DMA that is in flight now, if any, is done.</summary>
    internal void Drain()
    {
        long sequence = Volatile.Read(ref _sequence);
        if ((sequence & 1) == 0)
        {
            return;
        }

        var spin = default(SpinWait);
        while (Volatile.Read(ref _sequence) == sequence)
        {
            // As long as one transfer takes, or as that thread is preempted in it.
            spin.SpinOnce();
        }
    }
}
