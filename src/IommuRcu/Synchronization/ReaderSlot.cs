// The slot in which one thread announces its read-side section; unmanaged, on cache lines of its own.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IommuRcu;

/// <summary>One thread's announcement and its callback queues.</summary>
/// <remarks>
/// 384 bytes, aligned to 128 so that neither a cache line nor the adjacent-line prefetcher is shared between owners of fields.
/// Memory of slots is never given back, so that a pointer to one stays readable for as long as the process lives.
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = SlotSize)]
internal unsafe struct ReaderSlot
{
    internal const int SlotSize = 384;

    /// <summary>The announcement of a slot with no open section whose owner records stacks: larger than every number, so no grace period waits for it.</summary>
    internal const ulong ProvingIdle = ulong.MaxValue;

    // First pair of lines: written by the owner at every section, read by waiters.

    /// <summary>0: no section is open. Otherwise the grace-period number that the outermost section read when it opened.</summary>
    [FieldOffset(0)]
    internal ulong Announced;

    /// <summary>Sections open beyond the first (where stacks are recorded: all of them). Only the owner reads or writes it.</summary>
    [FieldOffset(8)]
    internal ulong Extra;

    /// <summary>How often the callback thread has turned the owner to its other queue; even: it appends to <see cref="Queue0"/>, odd: to <see cref="Queue1"/>.</summary>
    [FieldOffset(16)]
    internal ulong Flips;

    /// <summary>Callbacks that were ever queued through this slot; written by the owner.</summary>
    [FieldOffset(24)]
    internal ulong Queued;

    [FieldOffset(32)]
    internal CallbackList Queue0;

    [FieldOffset(56)]
    internal CallbackList Queue1;

    /// <summary>The batch of blocks to free that the owner fills, and the flips at which it was queued: it may grow until the next.</summary>
    [FieldOffset(80)]
    internal FreeBatch* OpenBatch;

    [FieldOffset(88)]
    internal ulong OpenBatchFlips;

    /// <summary><see cref="Queued"/> when that batch was queued: with a callback behind it, it may not grow, for that callback comes first.</summary>
    [FieldOffset(96)]
    internal ulong OpenBatchQueued;

    /// <summary>The owner looks at its backlog when <see cref="Queued"/> reaches this.</summary>
    [FieldOffset(104)]
    internal ulong LookAt;

    /// <summary>Native blocks that were ever handed over to be freed; written by the owner.</summary>
    [FieldOffset(112)]
    internal ulong BlocksQueued;

    /// <summary>The owner looks at its backlog when <see cref="BlocksQueued"/> reaches this.</summary>
    [FieldOffset(120)]
    internal ulong LookAtBlocks;

    // Second pair: the callback thread's.

    /// <summary>Closed, waiting for a grace period.</summary>
    [FieldOffset(128)]
    internal CallbackList Waiting;

    /// <summary>Its grace period is over: to be run.</summary>
    [FieldOffset(152)]
    internal CallbackList Ready;

    /// <summary>Callbacks of this slot that have run. Volatile: the owner reads it for back-pressure.</summary>
    [FieldOffset(176)]
    internal ulong Done;

    /// <summary>Callbacks taken out of the queues so far.</summary>
    [FieldOffset(184)]
    internal ulong Taken;

    /// <summary>What <see cref="Done"/> must reach before the pending barrier is over.</summary>
    [FieldOffset(192)]
    internal ulong BarrierMark;

    /// <summary>A grace period whose end also closes the flipped queue; 0 while none is flipped.</summary>
    [FieldOffset(200)]
    internal ulong FlippedUntil;

    /// <summary>How many of the blocks were freed. Volatile, as <see cref="Done"/>.</summary>
    [FieldOffset(208)]
    internal ulong BlocksDone;

    // Third pair: written once, at registration.

    [FieldOffset(256)]
    internal int Index;

    /// <summary>Whether the open section was opened with its stack recorded. Only the owner reads or writes it.</summary>
    [FieldOffset(260)]
    internal bool Proving;

    /// <summary>Whether the owner is the thread that runs callbacks. Set once, by that thread.</summary>
    [FieldOffset(261)]
    internal bool RunsCallbacks;

    internal readonly bool InSection => Announced is not (0 or ProvingIdle);

    /// <summary>Opens a section of the calling thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ReaderSlot* Enter()
    {
        ReaderSlot* slot = CurrentReader.Slot;

        // Announced is read plainly: the owner's own last store, or ProvingIdle, which the slow path handles.
        if (slot == null || slot->Announced != 0)
        {
            return EnterSlow(slot);
        }

        Announce(slot);
        return slot;
    }

    /// <summary>Closes a section of the calling thread, which owns the slot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Exit(ReaderSlot* slot)
    {
        // Owner-only, read plainly: not zero in a nested section, and where stacks are recorded.
        if (slot->Extra != 0)
        {
            ExitSlow(slot);
            return;
        }

        // Release: the section's reads come before it (on ARM64 an stlr). Pairs with the acquire in the scan of a waiter.
        Volatile.Write(ref slot->Announced, 0);
    }

    /// <summary>Opens a section whose fast path did not apply: the thread's first, a nested one, or one whose stack is recorded.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static ReaderSlot* EnterSlow(ReaderSlot* slot)
    {
        if (slot == null)
        {
            slot = ReaderRegistry.Register();
        }

        // Plain owner-only reads: only ProvingIdle is ever written by another thread, and only over 0.
        ulong announced = Volatile.Read(ref slot->Announced);
        if (announced == 0 || (announced == ProvingIdle && !ReaderRegistry.RecordsOpeners))
        {
            Announce(slot); // also over a mark that is left from proving mode
        }
        else if (announced == ProvingIdle)
        {
            ReaderRegistry.RecordOpener(slot->Index); // first: it allocates, and may throw
            slot->Proving = true;
            slot->Extra = 1; // sends the closing to ExitSlow
            Announce(slot);
        }
        else
        {
            slot->Extra++;
        }

        return slot;
    }

    /// <summary>Closes a section that is not the outermost, or whose stack was recorded. Never throws: a section closed twice is ignored where it can be told.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void ExitSlow(ReaderSlot* slot)
    {
        if (slot->Extra != 0)
        {
            slot->Extra--;
        }

        if (slot->Proving && slot->Extra == 0)
        {
            slot->Proving = false;
            ReaderRegistry.ForgetOpener(slot->Index);
            Volatile.Write(ref slot->Announced, ReaderRegistry.RecordsOpeners ? ProvingIdle : 0);
        }
    }

    /// <summary>Closes whatever sections the calling thread has open, however deep.</summary>
    internal static void Abandon(ReaderSlot* slot)
    {
        slot->Extra = 0;
        if (slot->Proving)
        {
            ExitSlow(slot);
        }
        else
        {
            Volatile.Write(ref slot->Announced, 0);
        }
    }

    /// <summary>Announces the outermost section of the calling thread.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Announce(ReaderSlot* slot)
    {
        // The number is read with acquire: a reader that took the new number also sees all that was unlinked before it was advanced.
        // The store needs no fence: the process-wide barrier of a waiter splits this thread's program order in two. If the store is in the
        // first half, the scan sees it; if it is in the second, so are all reads of the section, and they see what was unlinked.
        Volatile.Write(ref slot->Announced, Volatile.Read(ref GracePeriodNumber.Current));
    }
}

/// <summary>The calling thread's slot.</summary>
internal static unsafe class CurrentReader
{
    // In a class with nothing else, so that reading it needs no class-constructor check. Null until the thread opens its first section.
    [ThreadStatic]
    [SuppressMessage("Usage", "CA2019", Justification = "No initial value.")]
    internal static ReaderSlot* Slot;
}
