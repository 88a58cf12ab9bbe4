// Grace periods of one domain: who leads one, who shares it, and the order of its steps.
using System.Diagnostics;

namespace IommuRcu;

/// <summary>Runs grace periods. One waiter leads at a time; all that asked before it began share it.</summary>
/// <remarks>
/// Grace period k, in this order: <c>_started = k</c>; process-wide barrier; readers from now on announce k + 1; wait until no slot announces a
/// number up to k; process-wide barrier; <c>_completed = k</c>.
/// A request that reads <c>_started</c> as k after its unlink is served by grace period k + 1: that one begins after the read, hence its first
/// barrier comes after the unlink in the program order of the requester too. Number k itself may have passed its barrier before the unlink.
/// </remarks>
internal abstract partial class GracePeriodEngine
{
    private readonly object _gate = new();

    // Written by the leader alone; read by all.
    private ulong _started;
    private ulong _completed;
    private ulong _requested;

    // Under the gate; the leader reads _hurried without it.
    private bool _led;
    private int _waiting;
    private int _hurried;

    // The leader's: the last grace period whose first barrier is past, and how far its scan got.
    private ulong _advanced;
    private int _cursor;
    private long _beganWaiting;

    /// <summary>The last grace period that is over.</summary>
    internal ulong Completed => Volatile.Read(ref _completed);

    /// <summary>The last grace period that has begun.</summary>
    internal ulong Started => Volatile.Read(ref _started);

    /// <summary>The last grace period asked for without waiting.</summary>
    internal ulong Requested => Volatile.Read(ref _requested);

    /// <summary>Whether somebody asked, without waiting, for a grace period that is not over.</summary>
    internal bool HasRequest => Volatile.Read(ref _requested) > Completed;

    /// <summary>How many threads wait for one that leads, and how many of those are in a hurry.</summary>
    internal (int All, int Hurried) Waiting
    {
        get
        {
            using (Gate.Enter(_gate))
            {
                return (_waiting, _hurried);
            }
        }
    }

    /// <summary>The domain's name in reports.</summary>
    internal abstract string Name { get; }

    /// <summary>The grace period that covers everything the caller unlinked before.</summary>
    internal ulong NextTarget()
    {
        Interlocked.MemoryBarrier();
        return Volatile.Read(ref _started) + 1;
    }

    /// <summary>Asks that this grace period comes to pass although nobody waits for it. The caller then wakes the callback thread.</summary>
    internal void Request(ulong target)
    {
        ulong seen = Volatile.Read(ref _requested);
        while (seen < target)
        {
            ulong before = Interlocked.CompareExchange(ref _requested, target, seen);
            if (before == seen)
            {
                return;
            }

            seen = before;
        }
    }

    /// <summary>Waits until grace period <paramref name="target"/> is over; false at the deadline. Leads where nobody does.</summary>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted. Others go on; a grace period it led is taken up where it stood.</exception>
    internal bool WaitFor(ulong target, Deadline deadline, bool expedited)
    {
        while (Completed < target)
        {
            using (Gate.Enter(_gate))
            {
                while (_led)
                {
                    if (_completed >= target)
                    {
                        return true;
                    }

                    int milliseconds = deadline.RemainingMilliseconds;
                    if (milliseconds == 0)
                    {
                        return false;
                    }

                    _waiting++;
                    _hurried += expedited ? 1 : 0;
                    try
                    {
                        Monitor.Wait(_gate, milliseconds);
                    }
                    finally
                    {
                        _hurried -= expedited ? 1 : 0;
                        _waiting--;
                    }
                }

                if (_completed >= target)
                {
                    return true;
                }

                _led = true;
            }

            bool over;
            try
            {
                over = Lead(new ReaderWait(deadline, expedited));
            }
            finally
            {
                StepDown();
            }

            if (!over)
            {
                return Completed >= target;
            }
        }

        return true;
    }

    /// <summary>Drives grace periods until <paramref name="target"/> is over, without sleeping; false where readers or another leader are in the way.</summary>
    internal bool TryReach(ulong target)
    {
        while (Completed < target)
        {
            using (Gate.Enter(_gate))
            {
                if (_led)
                {
                    return _completed >= target;
                }

                _led = true;
            }

            bool over;
            try
            {
                over = Lead(CallbackThread.Hurries ? ReaderWait.BriefExpedited : ReaderWait.Brief);
            }
            finally
            {
                StepDown();
            }

            if (!over)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Counts a grace period that ended, where the number of the last one is not count enough.</summary>
    protected virtual void CountEnded()
    {
    }

    /// <summary>Makes readers announce this number from now on.</summary>
    protected abstract void Advance(ulong number);

    /// <summary>Moves the cursor over slots that announce no number up to <paramref name="number"/>; true when it passed the last.</summary>
    /// <remarks>
    /// A slot once passed needs no second look for the same number: what it announces later belongs to a section that began after the barrier.
    /// </remarks>
    protected abstract bool ReadersGone(ulong number, ref int cursor);

    /// <summary>Looks closely at the slot under the cursor, which has been in the way for some time: its thread may be dead.</summary>
    /// <param name="cursor">The slot in the way.</param>
    /// <param name="waited">How long this grace period has waited for readers.</param>
    protected abstract void Inspect(int cursor, TimeSpan waited);

    private void StepDown()
    {
        using (Gate.Enter(_gate))
        {
            _led = false;
            if (_waiting != 0)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    // Only the leader. A grace period left half-way, by a leader that ran out of time or was interrupted, is taken up again where it stood.
    private bool Lead(ReaderWait wait)
    {
        ulong number = _started;
        if (number == _completed)
        {
            number++;
            _beganWaiting = RcuMetrics.MeasuresLatency ? Stopwatch.GetTimestamp() : 0;
            Volatile.Write(ref _started, number);
        }

        if (_advanced != number)
        {
            ProcessWideBarrier.Pass();
            Advance(number + 1); // after the barrier: whoever reads the new number is past its own barrier, and sees what was unlinked
            _cursor = 0;
            _advanced = number;
        }

        if (!ReadersGone(number, ref _cursor) && !WaitForReaders(number, ref wait))
        {
            return false;
        }

        ProcessWideBarrier.Pass(); // all reads of the sections that ended come before whatever the caller does next
        Volatile.Write(ref _completed, number);
        CountEnded();
        RcuMetrics.GracePeriodOver(this, number, _beganWaiting);
        return true;
    }

    private bool WaitForReaders(ulong number, ref ReaderWait wait)
    {
        if (_beganWaiting == 0)
        {
            _beganWaiting = Stopwatch.GetTimestamp();
        }

        while (!ReadersGone(number, ref _cursor))
        {
            bool goesOn = wait.Pause(Volatile.Read(ref _hurried) != 0 || CallbackThread.Hurries);
            if (!goesOn || wait.HasSlept)
            {
                Inspect(_cursor, Stopwatch.GetElapsedTime(_beganWaiting));
            }

            if (!goesOn)
            {
                return ReadersGone(number, ref _cursor);
            }
        }

        return true;
    }
}
