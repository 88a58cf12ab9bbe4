// Native blocks to be freed after a grace period, many to a callback.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IommuRcu;

internal sealed unsafe partial class RcuCallbacks
{
    private static long _blocksFreed;

    /// <summary>Native blocks freed so far.</summary>
    internal static long BlocksFreed => Volatile.Read(ref _blocksFreed);

    /// <summary>Frees a native block after a grace period.</summary>
    internal static void QueueFree(void* block)
    {
        ReaderSlot* slot = ReaderSlot.Enter();
        ulong flips = Volatile.Read(ref slot->Flips);
        FreeBatch* batch = slot->OpenBatch;

        // A batch that was queued at these same flips lies in the queue that is active now. The callback thread takes that queue only after this
        // section has ended, and puts one more grace period behind it: the batch may still grow. But not if a callback was queued behind it,
        // which may use the block and has to run first.
        if (batch != null && slot->OpenBatchFlips == flips && slot->OpenBatchQueued == slot->Queued && !batch->IsFull)
        {
            FreeBatch.Add(batch, block);
            ReaderSlot.Exit(slot);
        }
        else
        {
            ReaderSlot.Exit(slot);
            if (!QueueNewBatch(slot, block))
            {
                return;
            }
        }

        if (++slot->BlocksQueued >= slot->LookAtBlocks)
        {
            CheckBacklog(slot);
        }
    }

    /// <summary>Counts blocks that were freed. Only the callback thread calls it.</summary>
    internal static void CountFreed(int blocks) => Volatile.Write(ref _blocksFreed, _blocksFreed + blocks);

    /// <returns>Whether it was queued; where there was no memory for that, the grace period is over and the block freed.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool QueueNewBatch(ReaderSlot* slot, void* block)
    {
        bool endedEarly = slot->OpenBatch != null && slot->OpenBatchQueued != slot->Queued;
        FreeBatch* batch;
        try
        {
            batch = FreeBatch.Create(slot, endedEarly ? FreeBatch.Small : FreeBatch.Large, block);
        }
        catch (OutOfMemoryException) when (Rcu.MayWait)
        {
            Rcu.SynchronizeExpedited();
            NativeMemory.Free(block);
            return false;
        }

        batch->Head.Callback = &FreeBlocks;
        ReaderSlot.Enter();
        ulong flips = Volatile.Read(ref slot->Flips);
        ulong queued = Push(slot, flips, &batch->Head);
        slot->OpenBatch = batch;
        slot->OpenBatchFlips = flips;
        slot->OpenBatchQueued = queued;
        ReaderSlot.Exit(slot);
        AfterQueueing(slot, queued);
        return true;
    }

    private static void FreeBlocks(RcuHead* head)
    {
        var batch = (FreeBatch*)head; // the head is its first field
        ReaderSlot* slot = batch->Slot;
        int count = batch->Count;
        FreeBatch.Free(batch);
        CountFreed(count);
        Volatile.Write(ref slot->BlocksDone, slot->BlocksDone + (ulong)count);
    }
}
