// A batch of native blocks that one callback frees.
using System.Runtime.InteropServices;

namespace IommuRcu;

/// <summary>Blocks that wait for the same grace period, remembered outside themselves because readers still use all of their bytes. 1 KiB.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct FreeBatch
{
    internal const int Capacity = 125;

    internal RcuHead Head;

    /// <summary>Written by the owner inside a section in which the batch's queue is active; read by the callback thread after that queue closed.</summary>
    internal int Count;

    private fixed ulong _blocks[Capacity];

    internal void Add(void* block) => _blocks[Count++] = (ulong)block;

    /// <summary>Takes the block added last; null when there is none.</summary>
    internal void* TakeLast() => Count == 0 ? null : (void*)_blocks[--Count];
}
