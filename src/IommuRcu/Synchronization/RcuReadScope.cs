// The guard of a read-side section of the thread-bound domain.
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;

namespace IommuRcu;

/// <summary>An open read-side section of <see cref="Rcu"/>; disposing it closes the section.</summary>
/// <remarks>
/// A ref struct: it cannot leave its thread, be stored, or live across an <c>await</c>. It carries the thread's slot, so that closing needs no
/// thread-static look-up. Dispose it once. Sections nest, and may be closed in any order.
/// </remarks>
[ReadLockScope]
public readonly unsafe ref struct RcuReadScope
{
    private readonly ReaderSlot* _slot;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal RcuReadScope(ReaderSlot* slot) => _slot = slot;

    /// <summary>Closes the section. Never throws and never blocks; on a <c>default</c> scope it does nothing.</summary>
    [ReleasesReadLock]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Dispose()
    {
        ReaderSlot* slot = _slot;
        if (slot != null)
        {
            ReaderSlot.Exit(slot);
        }
    }
}
