// Callbacks of the thread-bound domain: a queue for each thread, with no locked instruction on the way in.
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace IommuRcu;

/// <summary>Callbacks of <see cref="Rcu"/>.</summary>
/// <remarks>
/// Each slot has two queues. Its owner appends to the active one inside a read section; the callback thread flips which one is active, passes a
/// process-wide barrier, and owns the other as soon as it sees the owner outside any section (or a grace period has passed): a push into it
/// was in a section that the barrier made visible, or began later and saw the flip. So neither side needs a locked instruction. Closed queues then
/// wait for a grace period, and are run.
/// </remarks>
internal sealed unsafe partial class RcuCallbacks : CallbackDomain
{
    internal static readonly RcuCallbacks Instance = new();

    /// <summary>How many callbacks of one thread run before another thread's turn comes and new callbacks are looked at.</summary>
    internal const int Quantum = 2048;

    private bool _waiting;
    private ulong _waitingFor;

    private RcuCallbacks()
        : base(RcuGracePeriods.Instance) => CallbackThread.Add(this);

    protected override bool HasCallbacks
    {
        get
        {
            int used = ReaderRegistry.Used;
            for (int i = 0; i < used; i++)
            {
                ReaderSlot* slot = ReaderRegistry.SlotAt(i);
                if (Volatile.Read(ref slot->Queued) != slot->Done)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Gives the calling thread its slot, before something is made that would be lost if it cannot have one.</summary>
    internal static void Prepare()
    {
        if (CurrentReader.Slot == null)
        {
            ReaderRegistry.Register();
        }
    }

    /// <summary>Appends a head whose callback is set to the calling thread's queue.</summary>
    internal static void Queue(RcuHead* head)
    {
        ReaderSlot* slot = ReaderSlot.Enter();
        ulong queued = Push(slot, Volatile.Read(ref slot->Flips), head);
        ReaderSlot.Exit(slot);
        AfterQueueing(slot, queued);
    }

    /// <summary>Appends to the calling thread's active queue; only inside a section opened before the flips were read.</summary>
    /// <returns>How many callbacks the thread has queued.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Push(ReaderSlot* slot, ulong flips, RcuHead* head)
    {
        // The callback thread does not touch the active queue before this section has ended. The acquire of the flips pairs with their release,
        // so that an emptied queue is seen empty. All stores here come before the release that ends the section.
        ref CallbackList queue = ref (flips & 1) == 0 ? ref slot->Queue0 : ref slot->Queue1;
        ulong queued = slot->Queued + 1;
        queue.Append(head);
        queue.End = queued;
        Volatile.Write(ref slot->Queued, queued);
        return queued;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AfterQueueing(ReaderSlot* slot, ulong queued)
    {
        if (Volatile.Read(ref CallbackSignal.Awake) == 0)
        {
            WakeThread();
        }

        if (queued >= slot->LookAt)
        {
            CheckBacklog(slot);
        }
    }

    protected override void MarkBarrier()
    {
        int used = ReaderRegistry.Used;
        for (int i = 0; i < used; i++)
        {
            ReaderSlot* slot = ReaderRegistry.SlotAt(i);

            // What was queued before the barrier was asked for happens before this read: the request came through a lock.
            slot->BarrierMark = Volatile.Read(ref slot->Queued);
        }
    }

    protected override bool BarrierReached()
    {
        int used = ReaderRegistry.Used;
        for (int i = 0; i < used; i++)
        {
            ReaderSlot* slot = ReaderRegistry.SlotAt(i);
            if (slot->Done < slot->BarrierMark)
            {
                return false;
            }
        }

        return true;
    }

    protected override bool MoveCallbacks()
    {
        bool worked = false;
        int used = ReaderRegistry.Used;
        if (!_waiting)
        {
            ulong flippedUntil = Flip(used);
            _waiting = Close(used);
            if (_waiting)
            {
                _waitingFor = Engine.NextTarget();
            }
            else if (flippedUntil != 0)
            {
                worked |= Engine.TryReach(flippedUntil); // owners inside long sections: the next grace period closes their queues
            }
        }

        if (_waiting && (TestHooks.RunsCallbacksEarly || Engine.TryReach(_waitingFor)))
        {
            _waiting = false;
            for (int i = 0; i < used; i++)
            {
                ReaderSlot* slot = ReaderRegistry.SlotAt(i);
                slot->Ready.Append(ref slot->Waiting);
            }
        }

        for (int i = 0; i < used; i++)
        {
            ReaderSlot* slot = ReaderRegistry.SlotAt(i);
            if (!slot->Ready.IsEmpty)
            {
                Run(slot);
                worked = true;
            }
        }

        return worked;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WakeThread()
    {
        try
        {
            CallbackThread.Wake();
        }
        catch (OutOfMemoryException)
        {
            // No thread could be started. The callback is queued and must not be queued again: the next call, or a barrier, tries once more.
        }
    }

    /// <summary>Turns owners to their other queue; the grace period that closes the last of the queues left behind, 0 for none.</summary>
    private ulong Flip(int used)
    {
        bool flipped = false;
        ulong until = 0;
        for (int i = 0; i < used; i++)
        {
            ReaderSlot* slot = ReaderRegistry.SlotAt(i);
            if (slot->FlippedUntil != 0)
            {
                until = Math.Max(until, slot->FlippedUntil);
            }
            else if (Volatile.Read(ref slot->Queued) != slot->Taken)
            {
                // Release: the other queue was emptied before.
                Volatile.Write(ref slot->Flips, slot->Flips + 1);
                slot->FlippedUntil = ulong.MaxValue; // until the barrier is past
                flipped = true;
            }
        }

        if (flipped)
        {
            if (!TestHooks.ClosesQueuesEarly)
            {
                Interlocked.MemoryBarrierProcessWide();
            }

            until = Engine.NextTarget();
            for (int i = 0; i < used; i++)
            {
                ReaderSlot* slot = ReaderRegistry.SlotAt(i);
                if (slot->FlippedUntil == ulong.MaxValue)
                {
                    slot->FlippedUntil = until;
                }
            }
        }

        return until;
    }

    /// <summary>Takes the queues whose owners are seen past their last push; true if there was one.</summary>
    private bool Close(int used)
    {
        bool closed = false;
        ulong completed = Engine.Completed;
        for (int i = 0; i < used; i++)
        {
            ReaderSlot* slot = ReaderRegistry.SlotAt(i);
            if (slot->FlippedUntil == 0)
            {
                continue;
            }

            // Acquire: pairs with the release that ended the section of the last push.
            ulong announced = Volatile.Read(ref slot->Announced);
            if (announced is not (0 or ReaderSlot.ProvingIdle) && completed < slot->FlippedUntil && !TestHooks.ClosesQueuesEarly)
            {
                continue;
            }

            ref CallbackList queue = ref (slot->Flips & 1) == 0 ? ref slot->Queue1 : ref slot->Queue0;
            slot->Taken = queue.End;
            slot->Waiting.Append(ref queue);
            slot->FlippedUntil = 0;
            closed = true;
        }

        return closed;
    }

    private static void Run(ReaderSlot* slot)
    {
        ReaderSlot* self = CurrentReader.Slot;
        int ran = 0;
        while (ran < Quantum && !slot->Ready.IsEmpty)
        {
            try
            {
                RcuHead* head = slot->Ready.First;
                do
                {
                    // The callback may free the head: everything is read before, and the list is right before, should it throw.
                    RcuHead* next = head->Next;
                    if (Sse.IsSupported)
                    {
                        Sse.Prefetch0(next); // its line is in its owner's cache; fetch it while this callback runs
                    }

                    slot->Ready.First = next;
                    ran++;
                    head->Callback(head);
                    if (self->InSection)
                    {
                        CallbackThread.CloseForgottenSection(Instance);
                    }

                    head = next;
                }
                while (head != null && ran < Quantum);
            }
#pragma warning disable CA1031 // whatever a callback throws must not stop the others
            catch (Exception e)
#pragma warning restore CA1031
            {
                CallbackFailures.Report(e, Instance);
                CallbackThread.CloseForgottenSection(Instance);
            }
        }

        Volatile.Write(ref slot->Done, slot->Done + (ulong)ran);
    }
}
