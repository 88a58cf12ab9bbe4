// Callbacks of a sleepable domain: one list, pushed by compare-exchange, taken whole.
using System.Diagnostics.CodeAnalysis;

namespace IommuRcu;

/// <summary>Callbacks of one <see cref="SleepableRcu"/>.</summary>
internal sealed unsafe class SleepableCallbacks(SleepableReaders readers) : CallbackDomain(readers)
{
    private const int Quantum = 2048;

    // Written by the callback thread alone.
    private static long _totalTaken;
    private static long _totalRun;

    // The newest first. Pushed by anyone, taken by the callback thread.
    private nint _pushed;
    private int _registered;
    private long _queued;
    private long _run;

    // The callback thread's: the list taken last, in the order it was queued, and whether its grace period is over.
    private RcuHead* _batch;
    private bool _ripe;
    private ulong _waitingFor;
    private ulong _takes;
    private ulong _takesDone;
    private ulong _markedTake;

    // The count of those queued grows before the list does, so that none is between the two.
    protected override bool HasCallbacks => Volatile.Read(ref _queued) != Volatile.Read(ref _run);

    /// <summary>Makes the callback thread see to this domain.</summary>
    internal void Register()
    {
        if (Volatile.Read(ref _registered) == 0)
        {
            CallbackThread.Add(this); // before the flag: whoever sees it queues for a thread that looks here
            Volatile.Write(ref _registered, 1);
        }
    }

    /// <summary>Whether the callback thread has ever had to see to this domain.</summary>
    internal bool IsRegistered => Volatile.Read(ref _registered) != 0;

    /// <summary>Callbacks of all sleepable domains that the callback thread has taken from where they were queued, and how many of them ran.</summary>
    internal static long TotalTaken => Volatile.Read(ref _totalTaken);

    internal static long TotalRun => Volatile.Read(ref _totalRun);

    /// <summary>Queues a head whose callback is set; the domain is registered.</summary>
    /// <returns>Whether it is time to look at the backlog.</returns>
    internal bool Queue(RcuHead* head)
    {
        long queued = Interlocked.Increment(ref _queued);
        while (true)
        {
            nint first = Volatile.Read(ref _pushed);
            head->Next = (RcuHead*)first;
            if (Interlocked.CompareExchange(ref _pushed, (nint)head, first) == first)
            {
                break;
            }
        }

        if (Volatile.Read(ref CallbackSignal.Awake) == 0 || IsRetired)
        {
            WakeThread();
        }

        return (queued & (RcuCallbacks.CheckEvery - 1)) == 0 || queued - Volatile.Read(ref _run) >= RcuCallbacks.Limit;
    }

    protected override void MarkBarrier() => _markedTake = _takes + 1;

    protected override bool BarrierReached() => _takesDone >= _markedTake;

    protected override bool MoveCallbacks()
    {
        if (_batch == null)
        {
            _takes++;
            _batch = Reverse((RcuHead*)Interlocked.Exchange(ref _pushed, 0));
            if (_batch == null)
            {
                _takesDone = _takes;
                return false;
            }

            _ripe = false;
            _waitingFor = Engine.NextTarget();
        }

        if (!_ripe && !(TestHooks.RunsCallbacksEarly || Engine.TryReach(_waitingFor)))
        {
            return false;
        }

        _ripe = true;
        Run();
        if (_batch == null)
        {
            _takesDone = _takes;
        }

        return true;
    }

    private void WakeThread()
    {
        try
        {
            Wake();
        }
        catch (OutOfMemoryException)
        {
            // As in RcuCallbacks.WakeThread.
        }
    }

    private static RcuHead* Reverse(RcuHead* newest)
    {
        RcuHead* oldest = null;
        while (newest != null)
        {
            Volatile.Write(ref _totalTaken, _totalTaken + 1);
            RcuHead* next = newest->Next;
            newest->Next = oldest;
            oldest = newest;
            newest = next;
        }

        return oldest;
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever a callback throws must not stop the others.")]
    private void Run()
    {
        ReaderSlot* self = CurrentReader.Slot;
        int ran = 0;
        while (_batch != null && ran < Quantum)
        {
            RcuHead* head = _batch;
            _batch = head->Next; // before the callback, which may free the head or throw
            ran++;
            try
            {
                head->Callback(head);
            }
            catch (Exception e)
            {
                CallbackFailures.Report(e, this);
            }

            if (self->InSection)
            {
                CallbackThread.CloseForgottenSection(this);
            }
        }

        Volatile.Write(ref _run, _run + ran);
        Volatile.Write(ref _totalRun, _totalRun + ran);
    }

    /// <summary>Callbacks of a domain that have not run.</summary>
    internal readonly struct Waiting(SleepableCallbacks callbacks) : RcuCallbacks.IBacklog
    {
        public long Count => Volatile.Read(ref callbacks._queued) - Volatile.Read(ref callbacks._run);
    }
}
