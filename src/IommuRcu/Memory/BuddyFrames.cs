// The frames of an allocator's ranges, kept as naturally aligned blocks of powers of two: a binary buddy system.
using System.Numerics;

namespace IommuRcu.Memory;

/// <summary>Free frames, by order (log2 of 4 KiB frames). Not thread-safe: the allocator calls it under its lock.</summary>
internal sealed unsafe class BuddyFrames
{
    internal const int FrameLog2 = 12;
    internal const int MaxOrder = 30 - FrameLog2;

    private readonly FrameRange[] _ranges;

    // The first free block of each order.
    private readonly PageDescriptor*[] _free = new PageDescriptor*[MaxOrder + 1];

    internal BuddyFrames(FrameRange[] ranges)
    {
        _ranges = ranges;
        foreach (FrameRange range in ranges)
        {
            Fill(range);
        }
    }

    /// <summary>Takes a naturally aligned block; null if there is none.</summary>
    internal PageDescriptor* Take(int order)
    {
        int found = order;
        while (_free[found] == null)
        {
            if (++found > MaxOrder)
            {
                return null;
            }
        }

        PageDescriptor* block = _free[found];
        Unlink(block, found);
        while (found > order)
        {
            // The upper half goes back; the descriptors of a block's frames lie side by side.
            found--;
            Link(block + (1L << found), found);
        }

        return block;
    }

    /// <summary>Gives a block back and joins it with its free buddies.</summary>
    internal void Give(PageDescriptor* block, int order)
    {
        FrameRange range = RangeOf(block);
        long index = block - range.Descriptors;
        while (order < MaxOrder)
        {
            long frames = 1L << order;
            long buddy = (long)(((ulong)index + range.FirstFrame) ^ (ulong)frames) - (long)range.FirstFrame;
            if (buddy < 0 || buddy + frames > range.Frames || range.Descriptors[buddy].FreeOrder != order + 1)
            {
                break;
            }

            Unlink(range.Descriptors + buddy, order);
            index = Math.Min(index, buddy);
            order++;
        }

        Link(range.Descriptors + index, order);
    }

    internal FrameRange RangeOf(PageDescriptor* block)
    {
        foreach (FrameRange range in _ranges)
        {
            if (block >= range.Descriptors && block < range.Descriptors + range.Frames)
            {
                return range;
            }
        }

        throw new ArgumentException("The page belongs to another allocator.");
    }

    private void Fill(FrameRange range)
    {
        // Every block begins where its size divides the frame number: natural alignment is by physical address.
        long index = 0;
        while (index < range.Frames)
        {
            int order = Math.Min(BitOperations.TrailingZeroCount(range.FirstFrame + (ulong)index), MaxOrder);
            order = Math.Min(order, BitOperations.Log2((ulong)(range.Frames - index)));
            Link(range.Descriptors + index, order);
            index += 1L << order;
        }
    }

    private void Link(PageDescriptor* block, int order)
    {
        PageDescriptor* first = _free[order];
        block->FreeOrder = (byte)(order + 1);
        block->Previous = null;
        block->Next = first;
        if (first != null)
        {
            first->Previous = block;
        }

        _free[order] = block;
    }

    private void Unlink(PageDescriptor* block, int order)
    {
        if (block->Previous == null)
        {
            _free[order] = block->Next;
        }
        else
        {
            block->Previous->Next = block->Next;
        }

        if (block->Next != null)
        {
            block->Next->Previous = block->Previous;
        }

        block->FreeOrder = 0;
    }
}
