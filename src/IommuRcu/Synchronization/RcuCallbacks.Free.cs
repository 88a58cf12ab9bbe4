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
        // section has ended, and puts one more grace period behind it: the batch may still grow.
        if (batch != null && slot->OpenBatchFlips == flips && batch->Count < FreeBatch.Capacity)
        {
            batch->Add(block);
            ReaderSlot.Exit(slot);
            return;
        }

        ReaderSlot.Exit(slot);
        QueueNewBatch(block);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void QueueNewBatch(void* block)
    {
        FreeBatch* batch;
        try
        {
            batch = (FreeBatch*)NativeMemory.Alloc((nuint)sizeof(FreeBatch));
        }
        catch (OutOfMemoryException) when (Rcu.MayWait)
        {
            Rcu.SynchronizeExpedited();
            NativeMemory.Free(block);
            return;
        }

        batch->Count = 0;
        batch->Add(block);
        batch->Head.Callback = &FreeBlocks;
        ReaderSlot* slot = ReaderSlot.Enter();
        ulong flips = Volatile.Read(ref slot->Flips);
        ulong queued = Push(slot, flips, &batch->Head);
        slot->OpenBatch = batch;
        slot->OpenBatchFlips = flips;
        ReaderSlot.Exit(slot);
        AfterQueueing(slot, queued);

        // A batch counts as one callback, so the periodic look at the backlog comes too seldom: look at every eighth batch.
        if ((queued & 7) == 0 && (queued & (CheckEvery - 1)) != 0)
        {
            CheckBacklog(slot, queued, FreeBatch.Capacity);
        }
    }

    private static void FreeBlocks(RcuHead* head)
    {
        var batch = (FreeBatch*)head; // the head is its first field
        Volatile.Write(ref _blocksFreed, _blocksFreed + batch->Count); // only the callback thread writes it
        for (void* block = batch->TakeLast(); block != null; block = batch->TakeLast())
        {
            NativeMemory.Free(block);
        }

        NativeMemory.Free(batch);
    }
}
