// Read-copy-update for .NET: the read side.
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;

namespace IommuRcu;

/// <summary>Read-copy-update: readers that never wait, and writers that free what they unlinked only after every reader is past it.</summary>
/// <remarks>
/// <para>
/// The invariant: what was reachable when a section opened, or became so while it was open, is not freed before the section closes, provided that
/// whoever frees it first unlinks it and then lets a <em>grace period</em> pass (<see cref="Synchronize()"/>, or <c>Call</c>). A grace period
/// ends when every section that was open at its beginning has closed.
/// </para>
/// <para>
/// The protocol is the membarrier flavour of "User-Level Implementations of Read-Copy Update" (Desnoyers et al., IEEE TPDS 2012), with a 64-bit
/// counter instead of two phases. A section costs two ordinary stores; the writer pays with two process-wide barriers.
/// </para>
/// <para>
/// Sections belong to a thread, and a thread has as many nested ones as it likes. Code inside one must not block for long: until it closes,
/// nothing that was retired in the whole process is freed. Where a section has to await, use a <see cref="SleepableRcu"/>.
/// </para>
/// <para>
/// Observable as the meter and the event source <c>IommuRcu</c>: <c>dotnet-counters monitor --counters IommuRcu -p PID</c> shows grace periods and how
/// long they took, callbacks queued, run and failed, threads that read, stalls, and how often floods were slowed down.
/// </para>
/// <para>
/// An assembly that can be unloaded calls <see cref="Barrier()"/> before it is: a queued function pointer does not keep its code loaded. A queued
/// delegate does, until it has run. This assembly itself does not unload once its background thread has started.
/// </para>
/// </remarks>
public static unsafe partial class Rcu
{
    /// <summary>Gets whether the calling thread is inside a read-side section.</summary>
    [AssertsReadLock]
    public static bool IsReadLockHeld
    {
        get
        {
            ReaderSlot* slot = CurrentReader.Slot;
            return slot != null && slot->InSection;
        }
    }

    /// <summary>Opens a read-side section on the calling thread. Never blocks; nests without limit.</summary>
    /// <returns>The section. Dispose it on this thread, best with <c>using</c>.</returns>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier (only at a thread's first section).</exception>
    /// <exception cref="OutOfMemoryException">No memory for the thread's slot (only at a thread's first section).</exception>
    [AcquiresReadLock]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static RcuReadScope ReadLock() => new(ReaderSlot.Enter());

    /// <summary>Throws unless the calling thread is inside a read-side section.</summary>
    /// <exception cref="InvalidOperationException">No section is open on this thread.</exception>
    [AssertsReadLock]
    public static void AssertReadLockHeld()
    {
        if (!IsReadLockHeld)
        {
            throw new InvalidOperationException("No RCU read-side section is open on this thread. Open one with Rcu.ReadLock().");
        }
    }
}
