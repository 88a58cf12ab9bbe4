// What the callback thread does for one domain: callbacks, barriers, and grace periods that nobody waits for.
namespace IommuRcu;

/// <summary>One domain's work for the callback thread.</summary>
internal abstract class CallbackDomain(GracePeriodEngine engine)
{
    private readonly object _gate = new();
    private readonly List<Waiter> _waiters = [];
    private ulong _barriersAsked;
    private ulong _barriersDone;

    private volatile bool _retired;

    // The callback thread's: the barriers asked for when the queues were last marked.
    private ulong _barrierMarked;

    /// <summary>Handlers of failures of this domain's callbacks alone.</summary>
    internal EventHandler<RcuCallbackFailedEventArgs>? CallbackFailed { get; private set; }

    internal GracePeriodEngine Engine { get; } = engine;

    /// <summary>Whether anything is left to do, now or after a grace period.</summary>
    internal bool HasWork
    {
        get
        {
            using (Gate.Enter(_gate))
            {
                return _waiters.Count != 0 || _barriersAsked != _barriersDone || Engine.HasRequest || HasCallbacks;
            }
        }
    }

    /// <summary>Whether any callback has not run.</summary>
    protected abstract bool HasCallbacks { get; }

    internal void AddHandler(EventHandler<RcuCallbackFailedEventArgs>? handler)
    {
        using (Gate.Enter(_gate))
        {
            CallbackFailed += handler;
        }
    }

    internal void RemoveHandler(EventHandler<RcuCallbackFailedEventArgs>? handler)
    {
        using (Gate.Enter(_gate))
        {
            CallbackFailed -= handler;
        }
    }

    /// <summary>Waits for all that was asked of this domain, and takes it off the callback thread. Nothing new is begun meanwhile, but may be under way.</summary>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted. May be called again.</exception>
    internal void Retire()
    {
        Barrier();
        _retired = true;
        CallbackThread.Remove(this);

        // A full fence lies between, on either side: whoever asks for something, and then does not see that the domain is retired, is seen here.
        Interlocked.MemoryBarrier();
        if (HasWork)
        {
            CallbackThread.Add(this);
            Barrier();
            CallbackThread.Remove(this);
        }
    }

    /// <summary>Makes the callback thread look at this domain, after something was asked of it.</summary>
    protected void Wake()
    {
        Interlocked.MemoryBarrier();
        if (_retired)
        {
            CallbackThread.Add(this); // came too late for Retire to wait for it: the domain stays with the thread, and is served
        }

        CallbackThread.Wake();
    }

    /// <summary>Whether the domain was taken off the callback thread; read after a full fence that follows what is asked.</summary>
    protected bool IsRetired => _retired;

    /// <summary>Does what can be done without waiting. Only on the callback thread.</summary>
    /// <returns>Whether it got anywhere.</returns>
    internal bool Step()
    {
        bool worked = false;
        ulong asked = Volatile.Read(ref _barriersAsked);
        if (_barrierMarked == _barriersDone && asked != _barriersDone)
        {
            _barrierMarked = asked;
            MarkBarrier();
        }

        worked |= MoveCallbacks();
        if (_barrierMarked != _barriersDone && BarrierReached())
        {
            using (Gate.Enter(_gate))
            {
                Volatile.Write(ref _barriersDone, _barrierMarked);
                Monitor.PulseAll(_gate);
            }

            worked = true;
        }

        if (Engine.HasRequest)
        {
            worked |= Engine.TryReach(Engine.Requested);
        }

        CompleteWaiters();
        return worked;
    }

    /// <summary>Waits until every callback queued before has run. The caller may wait.</summary>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted; the callbacks run nevertheless.</exception>
    internal void Barrier()
    {
        using (Gate.Enter(_gate))
        {
            ulong ticket = Volatile.Read(ref _barriersAsked) + 1;
            Volatile.Write(ref _barriersAsked, ticket);
            Wake();
            while (_barriersDone < ticket)
            {
                Monitor.Wait(_gate);
            }
        }
    }

    internal ValueTask BarrierAsync(CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellation);
        }

        using (Gate.Enter(_gate))
        {
            ulong ticket = Volatile.Read(ref _barriersAsked) + 1;
            Volatile.Write(ref _barriersAsked, ticket);
            return Enqueue(ticket, isBarrier: true, cancellation);
        }
    }

    internal ValueTask SynchronizeAsync(CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellation);
        }

        ulong target = Engine.NextTarget();
        if (Engine.TryReach(target))
        {
            return ValueTask.CompletedTask;
        }

        Engine.Request(target);
        using (Gate.Enter(_gate))
        {
            return Enqueue(target, isBarrier: false, cancellation);
        }
    }

    internal RcuCookie StartGracePeriod()
    {
        ulong target = Engine.NextTarget();
        Engine.Request(target);
        Wake();
        return new RcuCookie(Engine, target);
    }

    /// <summary>Remembers which callbacks a barrier asked for now has to wait for.</summary>
    protected abstract void MarkBarrier();

    /// <summary>Whether all those have run.</summary>
    protected abstract bool BarrierReached();

    /// <summary>Takes what was queued, brings it through grace periods, and runs some of what is past them.</summary>
    protected abstract bool MoveCallbacks();

    // Under the gate.
    private ValueTask Enqueue(ulong number, bool isBarrier, CancellationToken cancellation)
    {
        var waiter = new Waiter(number, isBarrier);
        if (cancellation.CanBeCanceled)
        {
            waiter.Registration = cancellation.UnsafeRegister(
                static (state, token) => ((Waiter)state!).TrySetCanceled(token), waiter);
        }

        _waiters.Add(waiter);
        Wake();
        return new ValueTask(waiter.Task);
    }

    private void CompleteWaiters()
    {
        using (Gate.Enter(_gate))
        {
            for (int i = _waiters.Count - 1; i >= 0; i--)
            {
                Waiter waiter = _waiters[i];
                if (waiter.Task.IsCompleted || waiter.Number <= (waiter.IsBarrier ? _barriersDone : Engine.Completed))
                {
                    // Continuations run elsewhere (see the constructor), so none runs under this lock or on this thread.
                    waiter.TrySetResult();
                    waiter.Registration.Unregister();
                    _waiters[i] = _waiters[^1];
                    _waiters.RemoveAt(_waiters.Count - 1);
                }
            }
        }
    }

    private sealed class Waiter(ulong number, bool isBarrier) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        internal ulong Number { get; } = number;

        internal bool IsBarrier { get; } = isBarrier;

        internal CancellationTokenRegistration Registration { get; set; }
    }
}
