// Grace periods and callbacks of a sleepable domain: the calls of Rcu.
using IommuRcu.Annotations;

namespace IommuRcu;

public sealed unsafe partial class SleepableRcu
{
    /// <summary>Raised on the callback thread when a callback of this domain threw, before <see cref="Rcu.CallbackFailed"/>, which is raised for all domains.</summary>
    /// <remarks>No other callback is lost. Handlers must not wait for grace periods.</remarks>
    public event EventHandler<RcuCallbackFailedEventArgs>? CallbackFailed
    {
        add => _callbacks.AddHandler(value);
        remove => _callbacks.RemoveHandler(value);
    }

    private bool MayWait => Rcu.MayWait && !(_flow != null && SleepableSection.IsBelowAny(_flow.Value));

    /// <summary>Waits until every section of this domain that is open now has closed.</summary>
    /// <exception cref="InvalidOperationException">Called inside a section of this domain, or in a callback.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public void Synchronize()
    {
        ThrowIfMayNotWait();
        _readers.WaitFor(_readers.NextTarget(), default, expedited: false);
    }

    /// <summary>As <see cref="Synchronize()"/>, for no longer than a limit.</summary>
    /// <param name="timeout">The limit; <see cref="Timeout.InfiniteTimeSpan"/> for none.</param>
    /// <returns>Whether the grace period is over.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative or longer than 2^31 - 1 milliseconds.</exception>
    /// <exception cref="InvalidOperationException">Called inside a section of this domain, or in a callback.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public bool Synchronize(TimeSpan timeout)
    {
        Deadline deadline = Deadline.After(timeout);
        ThrowIfMayNotWait();
        return _readers.WaitFor(_readers.NextTarget(), deadline, expedited: false);
    }

    /// <summary>As <see cref="Synchronize()"/>, looking at readers more often before it sleeps.</summary>
    /// <exception cref="InvalidOperationException">Called inside a section of this domain, or in a callback.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public void SynchronizeExpedited()
    {
        ThrowIfMayNotWait();
        _readers.WaitFor(_readers.NextTarget(), default, expedited: true);
    }

    /// <summary>As <see cref="Synchronize()"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Gives up waiting; the grace period goes on.</param>
    /// <returns>Completes when the grace period is over; continuations run on the thread pool.</returns>
    /// <exception cref="InvalidOperationException">Called inside a section of this domain, or in a callback.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled (thrown by the task).</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [WaitsForGracePeriod]
    public ValueTask SynchronizeAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfMayNotWait();
        _callbacks.Register();
        return _callbacks.SynchronizeAsync(cancellationToken);
    }

    /// <summary>Names the grace period that covers everything the caller unlinked before, and sees to it that it comes to pass. Never waits.</summary>
    /// <returns>A cookie for <see cref="HasElapsed"/> and <see cref="WaitFor"/>.</returns>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    public RcuCookie StartGracePeriod()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _callbacks.Register();
        return _callbacks.StartGracePeriod();
    }

    /// <summary>Tells whether the cookie's grace period is over. Never waits.</summary>
    /// <param name="cookie">From <see cref="StartGracePeriod"/> of this domain.</param>
    /// <returns>True once it is over, and ever after.</returns>
    /// <exception cref="ArgumentException">The cookie is another domain's.</exception>
    public bool HasElapsed(RcuCookie cookie) => _readers.HasElapsed(cookie);

    /// <summary>Waits until the cookie's grace period is over.</summary>
    /// <param name="cookie">From <see cref="StartGracePeriod"/> of this domain.</param>
    /// <exception cref="ArgumentException">The cookie is another domain's.</exception>
    /// <exception cref="InvalidOperationException">Called inside a section of this domain, or in a callback.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public void WaitFor(RcuCookie cookie)
    {
        _readers.Check(cookie);
        ThrowIfMayNotWait();
        _readers.WaitFor(cookie.Number, default, expedited: false);
    }

    /// <summary>Runs a callback once every section of this domain that is open now has closed. Allocates nothing.</summary>
    /// <param name="head">Embedded in what is retired; the runtime's until the callback is entered.</param>
    /// <param name="callback">Run once, on the callback thread; may free the memory of <paramref name="head"/>. It must not block or throw.</param>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    public void Call(RcuHead* head, [RunsAfterGracePeriod] delegate*<RcuHead*, void> callback)
    {
        if (head == null || callback == null)
        {
            throw new ArgumentNullException(head == null ? nameof(head) : nameof(callback));
        }

        ObjectDisposedException.ThrowIf(_disposed, this);
        _callbacks.Register();
        head->Callback = callback;
        Queue(head);
    }

    /// <summary>Runs a callback once every section of this domain that is open now has closed.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <param name="state">Passed to the callback; kept alive until then.</param>
    /// <param name="callback">Run once, on the callback thread; best a static lambda. It must not block or throw.</param>
    /// <exception cref="ArgumentNullException">The callback is null.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    /// <exception cref="OutOfMemoryException">No memory for the head.</exception>
    public void Call<TState>(TState state, [RunsAfterGracePeriod] Action<TState> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        ObjectDisposedException.ThrowIf(_disposed, this);
        _callbacks.Register();
        Queue(ManagedCallback.Create(state, callback));
    }

    /// <summary>Waits until every callback that was queued in this domain before has run.</summary>
    /// <exception cref="InvalidOperationException">Called inside a section of this domain, or in a callback.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public void Barrier()
    {
        ThrowIfMayNotWait();
        _callbacks.Register();
        _callbacks.Barrier();
    }

    /// <summary>As <see cref="Barrier"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Gives up waiting; the callbacks run nevertheless.</param>
    /// <returns>Completes when they have run; continuations run on the thread pool.</returns>
    /// <exception cref="InvalidOperationException">Called inside a section of this domain, or in a callback.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled (thrown by the task).</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [WaitsForGracePeriod]
    public ValueTask BarrierAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfMayNotWait();
        _callbacks.Register();
        return _callbacks.BarrierAsync(cancellationToken);
    }

    private void Queue(RcuHead* head)
    {
        if (_callbacks.Queue(head))
        {
            RcuCallbacks.Answer(new SleepableCallbacks.Waiting(_callbacks), MayWait);
        }
    }

    private void ThrowIfMayNotWait()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ThrowIfInside();
    }

    private void ThrowIfInside()
    {
        if (CallbackThread.IsCurrent)
        {
            throw new InvalidOperationException("A callback must not wait for a grace period or for callbacks: it would wait for itself.");
        }

        if (_flow != null && SleepableSection.IsBelowAny(_flow.Value))
        {
            throw new InvalidOperationException($"Waiting inside a section of {Name} would never end: the grace period waits for that section.");
        }
    }
}
