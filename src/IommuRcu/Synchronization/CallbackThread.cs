// The one background thread: it runs callbacks and the grace periods that they wait for.

namespace IommuRcu;

/// <summary>The thread that runs callbacks; started when first needed, and never in the way of the process's exit.</summary>
internal static unsafe partial class CallbackThread
{
    // While there was work lately, the thread looks again every millisecond by itself, and those who queue need not wake it: waking costs
    // microseconds, queueing nanoseconds. After some idle looks it goes to sleep for good and says so in CallbackSignal.
    private const int PollMilliseconds = 1;
    private const int IdleLooks = 32;

    // Where a reader has been in the way for long, it is looked at less often, down to this many milliseconds more.
    private const int MostExtraMilliseconds = 9;

    private static readonly object _gate = new();
    private static readonly List<CallbackDomain> _domains = [];

    // Under the gate.
    private static Thread? _thread;
    private static bool _woken;
    private static int _progressWaiters;
    private static volatile CallbackDomain[] _snapshot = [];

    private static volatile bool _hurries;

    /// <summary>Whether a flood or scarce memory makes the thread, and whoever leads a grace period, look at readers more often.</summary>
    /// <remarks>A process-wide barrier forces no reader out of its section, so this is all that there is to expedite.</remarks>
    internal static bool Hurries => _hurries;

    /// <summary>Whether the calling thread is the callback thread.</summary>
    internal static bool IsCurrent => CurrentReader.Slot != null && CurrentReader.Slot->RunsCallbacks;

    /// <summary>Whether the thread has been started.</summary>
    internal static bool IsStarted
    {
        get
        {
            using (Gate.Enter(_gate))
            {
                return _thread != null;
            }
        }
    }

    /// <summary>Makes the thread serve a domain, once.</summary>
    internal static void Add(CallbackDomain domain)
    {
        using (Gate.Enter(_gate))
        {
            if (!_domains.Contains(domain))
            {
                _domains.Add(domain);
                _snapshot = [.. _domains];
            }
        }
    }

    internal static void Remove(CallbackDomain domain)
    {
        using (Gate.Enter(_gate))
        {
            _domains.Remove(domain);
            _snapshot = [.. _domains];
        }
    }

    /// <summary>Makes the thread look at the queues now; starts it the first time.</summary>
    internal static void Wake()
    {
        using (Gate.Enter(_gate))
        {
            _woken = true;
            if (_thread == null)
            {
                var thread = new Thread(Run) { IsBackground = true, Name = "IommuRcu callbacks" };
                thread.UnsafeStart();
                _thread = thread;
            }

            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Expedites grace periods until nothing is left to do, and wakes the thread.</summary>
    internal static void Hurry()
    {
        _hurries = true;
        Wake();
    }

    /// <summary>How long the thread sleeps between two looks at readers in its way.</summary>
    /// <param name="stuck">How often it has looked in vain.</param>
    /// <param name="hurries">Whether it is in a hurry.</param>
    internal static int PauseMilliseconds(int stuck, bool hurries) => PollMilliseconds + (hurries ? 0 : Math.Min(MostExtraMilliseconds, stuck / 64));

    /// <summary>Waits until the thread has done something, for at most this long.</summary>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted.</exception>
    internal static void WaitForProgress(int milliseconds)
    {
        using (Gate.Enter(_gate))
        {
            _progressWaiters++;
            try
            {
                Monitor.Wait(_gate, milliseconds);
            }
            finally
            {
                _progressWaiters--;
            }
        }
    }

    /// <summary>Closes and reports the section that a callback left open: it would hold up every grace period for ever, this thread's own too.</summary>
    internal static void CloseForgottenSection(CallbackDomain domain)
    {
        ReaderSlot* slot = CurrentReader.Slot;
        if (slot->InSection)
        {
            ReaderSlot.Abandon(slot);
            CallbackFailures.Report(new InvalidOperationException("A callback left a read-side section open. It was closed."), domain);
        }
    }

    private static void Run()
    {
        ReaderSlot* slot = CurrentReader.Slot != null ? CurrentReader.Slot : ReaderRegistry.Register();
        slot->RunsCallbacks = true;

        // Whichever domain had the thread started: from here on Call of any thread takes Awake to mean that the queues of Rcu are looked at.
        Add(RcuCallbacks.Instance);
        MemoryPressure.Watch();
        Volatile.Write(ref CallbackSignal.Awake, 1);
        int idle = 0;
        int stuck = 0;
        while (true)
        {
            bool worked = false;
            foreach (CallbackDomain domain in _snapshot)
            {
                worked |= domain.Step();
            }

            if (worked)
            {
                idle = 0;
                stuck = 0;
                TellProgress();
                continue;
            }

            if (HasWork())
            {
                idle = 0;
                Doze(PauseMilliseconds(stuck++, _hurries)); // readers are in the way; only time helps
                continue;
            }

            _hurries = false;
            if (++idle < IdleLooks)
            {
                Doze(PollMilliseconds);
            }
            else
            {
                Sleep();
                idle = 0;
            }
        }
    }

    private static void TellProgress()
    {
        if (Volatile.Read(ref _progressWaiters) != 0)
        {
            using (Gate.Enter(_gate))
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    private static bool HasWork()
    {
        foreach (CallbackDomain domain in _snapshot)
        {
            if (domain.HasWork)
            {
                return true;
            }
        }

        return false;
    }

    private static void Doze(int milliseconds)
    {
        using (Gate.Enter(_gate))
        {
            try
            {
                if (!_woken)
                {
                    Monitor.Wait(_gate, milliseconds);
                }
            }
            catch (ThreadInterruptedException)
            {
                // A callback can hand this thread to whoever interrupts it. It looks at its queues, and sleeps again.
            }

            _woken = false;
        }
    }

    private static void Sleep()
    {
        Volatile.Write(ref CallbackSignal.Awake, 0);

        // Who queues stores its callback, then reads Awake, without a fence. This barrier splits its program order: if the store is in the first
        // half, the look that follows sees it; if not, the read is in the second half, sees 0, and it wakes us.
        Interlocked.MemoryBarrierProcessWide();
        if (!HasWork())
        {
            Doze(Timeout.Infinite);
        }

        Volatile.Write(ref CallbackSignal.Awake, 1);
    }
}
