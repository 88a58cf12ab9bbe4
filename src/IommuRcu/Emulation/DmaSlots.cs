// All threads that do DMA through one emulated IOMMU.
namespace IommuRcu.Emulation;

/// <summary>The registry of <see cref="DmaSlot"/>s: a thread finds its own without a lock, an invalidation goes through all.</summary>
internal sealed class DmaSlots
{
    [ThreadStatic]
    private static DmaSlot? _recent;

    [ThreadStatic]
    private static DmaSlot? _ofThread;

    private readonly object _lock = new();

    // Replaced as a whole under the lock.
    private DmaSlot[] _all = [];
    private long _endedHits;
    private long _endedMisses;
    private long _endedRestarts;
    private long _endedTransfers;
    private long _endedBytes;

    internal DmaSlot Mine()
    {
        DmaSlot? slot = _recent;
        return slot is not null && slot.Owner == this ? slot : Find();
    }

    /// <summary>Returns when every DMA that is in flight at the time of the call is done.</summary>
    internal void Drain()
    {
        // Pairs with Enter: what the caller invalidated before is visible to any DMA whose announcement is not seen below.
        Interlocked.MemoryBarrier();
        foreach (DmaSlot slot in Volatile.Read(ref _all))
        {
            slot.Drain();
        }
    }

    internal EmulatedIommuStatistics Count()
    {
        lock (_lock)
        {
            (long hits, long misses, long restarts) = (_endedHits, _endedMisses, _endedRestarts);
            (long transfers, long bytes) = (_endedTransfers, _endedBytes);
            foreach (DmaSlot slot in _all)
            {
                hits += Volatile.Read(ref slot.Hits);
                misses += Volatile.Read(ref slot.Misses);
                restarts += Volatile.Read(ref slot.Restarts);
                transfers += Volatile.Read(ref slot.Transfers);
                bytes += Volatile.Read(ref slot.Bytes);
            }

            return new EmulatedIommuStatistics
            {
                IotlbHits = hits,
                IotlbMisses = misses,
                WalkRestarts = restarts,
                Transfers = transfers,
                BytesTransferred = bytes,
            };
        }
    }

    private DmaSlot Find()
    {
        for (DmaSlot? slot = _ofThread; slot is not null; slot = slot.NextOfThread)
        {
            if (slot.Owner == this)
            {
                return _recent = slot;
            }
        }

        var mine = new DmaSlot(this, _ofThread);
        lock (_lock)
        {
            // Threads that have ended cannot be in a DMA.
            var alive = new List<DmaSlot>(_all.Length + 1);
            foreach (DmaSlot slot in _all)
            {
                if (slot.Thread.IsAlive)
                {
                    alive.Add(slot);
                }
                else
                {
                    _endedHits += slot.Hits;
                    _endedMisses += slot.Misses;
                    _endedRestarts += slot.Restarts;
                    _endedTransfers += slot.Transfers;
                    _endedBytes += slot.Bytes;
                }
            }

            alive.Add(mine);
            Volatile.Write(ref _all, [.. alive]);
        }

        _ofThread = mine;
        return _recent = mine;
    }
}
