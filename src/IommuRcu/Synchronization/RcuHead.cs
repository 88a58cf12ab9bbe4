// The intrusive head of a reclaim callback: 16 bytes that an object embeds so that queueing it allocates nothing.
using System.Runtime.InteropServices;

namespace IommuRcu;

/// <summary>Links an object into the queue of callbacks that wait for a grace period; 16 bytes, embedded in the object it stands for.</summary>
/// <remarks>
/// The head belongs to the runtime from <c>Rcu.Call</c> until its callback is entered; in between nothing may
/// write it and its memory must stay. It holds no pointer to its object: place it first, or subtract its offset in the callback. Never let it
/// share bytes with a field that readers use: they may still be reading when the head is written.
/// </remarks>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct RcuHead
{
    // Written by the queueing thread inside a read section, read by the callback thread after that section ended.
    internal RcuHead* Next;
    internal delegate*<RcuHead*, void> Callback;
}
