// The pages that a thread keeps at hand, and the numbers it has counted: one for each pair of thread and allocator.
using System.Runtime.InteropServices;

namespace IommuRcu.Memory;

/// <summary>A few free pages of one size, linked through their descriptors.</summary>
internal unsafe struct Magazine
{
    internal PageDescriptor* Head;
    internal int Count;
}

/// <summary>What a thread reads and writes at every allocation, on cache lines of its own.</summary>
/// <remarks>
/// A biased lock without a locked instruction. The owner writes <see cref="Busy"/>, reads <see cref="Revoked"/>, and touches its magazines only if
/// it found 0. Whoever wants to empty them holds the allocator's lock, writes <see cref="Revoked"/>, passes a process-wide barrier and waits for
/// <see cref="Busy"/> to be 0: the barrier puts the owner's write before its read, so one of the two sees the other. An owner that finds itself
/// revoked takes the allocator's lock, as it does whenever its magazines are empty or full.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct CacheBlock
{
    internal const int CachedOrders = 5;

    internal int Busy;
    internal int Revoked;

    // Counted by the owner alone; read by others, so written with Volatile.
    internal long AllocatedPages;
    internal long FreedPages;
    internal long AllocatedBytes;
    internal long FreedBytes;
    internal long RetiredPages;
    internal long ReclaimedPages;

    /// <summary><see cref="CachedOrders"/> magazines in use, then as many spare ones.</summary>
    internal fixed long Magazines[2 * CachedOrders * 2];

    internal static Magazine* Active(CacheBlock* block, int order) => (Magazine*)block->Magazines + order;

    internal static Magazine* Spare(CacheBlock* block, int order) => (Magazine*)block->Magazines + CachedOrders + order;
}

/// <summary>Ties a thread to its block of one allocator.</summary>
internal sealed unsafe class ThreadCache
{
    internal ThreadCache(PageAllocator owner, ThreadCache? next)
    {
        Owner = owner;
        NextOfThread = next;
        Thread = Thread.CurrentThread;

        // Two lines apart from the neighbours: the processor fetches lines in pairs.
        Block = (CacheBlock*)NativeMemory.AlignedAlloc((nuint)((sizeof(CacheBlock) + 127) & ~127), 128);
        NativeMemory.Clear(Block, (nuint)sizeof(CacheBlock));
    }

    /// <summary>The allocator; null when it was disposed.</summary>
    internal PageAllocator? Owner { get; set; }

    internal ThreadCache? NextOfThread { get; set; }

    internal Thread Thread { get; }

    internal CacheBlock* Block { get; private set; }

    internal void Release()
    {
        Owner = null;
        NativeMemory.AlignedFree(Block);
        Block = null;
    }
}
