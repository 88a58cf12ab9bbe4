// A batch of native blocks that one callback frees.
using System.Runtime.InteropServices;

namespace IommuRcu;

/// <summary>Blocks that wait for the same grace period, remembered outside themselves because readers still use all of their bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FreeBatch
{
    /// <summary>What a batch of 1 KiB holds.</summary>
    internal const int Large = 124;

    /// <summary>What one of 64 bytes holds: where callbacks keep ending batches early.</summary>
    internal const int Small = 4;

    private const int HeaderSize = 32;

    internal RcuHead Head;

    /// <summary>Written by the owner inside a section in which the batch's queue is active; read by the callback thread after that queue closed.</summary>
    private int _count;

    private int _capacity;

    /// <summary>Whose blocks they are. Memory of slots is never given back.</summary>
    private ReaderSlot* _slot;

    internal readonly bool IsFull => _count == _capacity;

    internal readonly int Count => _count;

    internal readonly ReaderSlot* Slot => _slot;

    /// <summary>A batch of one block.</summary>
    /// <exception cref="OutOfMemoryException">There is no memory.</exception>
    internal static FreeBatch* Create(ReaderSlot* slot, int capacity, void* block)
    {
        var batch = (FreeBatch*)NativeMemory.Alloc((nuint)(HeaderSize + (capacity * sizeof(void*))));
        batch->_count = 1;
        batch->_capacity = capacity;
        batch->_slot = slot;
        *Blocks(batch) = block;
        return batch;
    }

    /// <summary>Adds a block to a batch that is not full.</summary>
    internal static void Add(FreeBatch* batch, void* block) => Blocks(batch)[batch->_count++] = block;

    /// <summary>Frees the blocks and the batch.</summary>
    internal static void Free(FreeBatch* batch)
    {
        void** blocks = Blocks(batch);
        for (int i = 0; i < batch->_count; i++)
        {
            NativeMemory.Free(blocks[i]);
        }

        NativeMemory.Free(batch);
    }

    private static void** Blocks(FreeBatch* batch) => (void**)((byte*)batch + HeaderSize);
}
