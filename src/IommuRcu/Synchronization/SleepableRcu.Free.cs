// Freeing native blocks after a grace period of a sleepable domain.
using System.Runtime.InteropServices;
using IommuRcu.Annotations;

namespace IommuRcu;

public sealed unsafe partial class SleepableRcu
{
    /// <summary>Frees a block from <see cref="NativeMemory.Alloc(nuint)"/> after a grace period of this domain; its content stays readable until then.</summary>
    /// <param name="nativeBlock">The block, already unlinked; null does nothing.</param>
    /// <remarks>In order with the callbacks of this domain that the thread queues. May be called anywhere. Remembers the block in 24 bytes of native memory.</remarks>
    /// <exception cref="OutOfMemoryException">No memory to remember the block, where waiting is not allowed.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    public void Free([Retires] void* nativeBlock)
    {
        if (nativeBlock == null)
        {
            return;
        }

        ObjectDisposedException.ThrowIf(_disposed, this);
        _callbacks.Register();
        Record* record;
        try
        {
            record = (Record*)NativeMemory.Alloc((nuint)sizeof(Record));
        }
        catch (OutOfMemoryException) when (MayWait)
        {
            SynchronizeExpedited();
            NativeMemory.Free(nativeBlock);
            return;
        }

        record->Head.Callback = &FreeBlock;
        record->Block = nativeBlock;
        Queue(&record->Head);
    }

    private static void FreeBlock(RcuHead* head)
    {
        var record = (Record*)head; // the head is its first field
        NativeMemory.Free(record->Block);
        NativeMemory.Free(record);
        RcuCallbacks.CountFreed(1);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Record
    {
        internal RcuHead Head;
        internal void* Block;
    }
}
