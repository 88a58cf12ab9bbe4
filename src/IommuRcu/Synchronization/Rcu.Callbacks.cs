// Callbacks after a grace period: queueing, waiting for them.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using IommuRcu.Annotations;

namespace IommuRcu;

public static unsafe partial class Rcu
{
    /// <summary>Raised on the callback thread when a callback threw. No other callback is lost. Handlers must not wait for grace periods.</summary>
    public static event EventHandler<RcuCallbackFailedEventArgs>? CallbackFailed
    {
        add => CallbackFailures.Raised += value;
        remove => CallbackFailures.Raised -= value;
    }

    /// <summary>Runs a callback after a grace period: once every section that is open now has closed. Allocates nothing.</summary>
    /// <param name="head">Embedded in what is retired; the runtime's until the callback is entered.</param>
    /// <param name="callback">Run once, on the callback thread; may free the memory of <paramref name="head"/>. It must not block or throw.</param>
    /// <remarks>
    /// May be called anywhere, also inside a section and in callbacks. The callbacks that one thread queues run in the order it queued them.
    /// They do not run when the process exits first.
    /// </remarks>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    public static void Call(RcuHead* head, [RunsAfterGracePeriod] delegate*<RcuHead*, void> callback)
    {
        if (head == null || callback == null)
        {
            ThrowNullCallback(head == null ? nameof(head) : nameof(callback));
        }

        head->Callback = callback;
        RcuCallbacks.Queue(head);
    }

    /// <summary>Runs a callback after a grace period: once every section that is open now has closed.</summary>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <param name="state">Passed to the callback; kept alive until then.</param>
    /// <param name="callback">Run once, on the callback thread; best a static lambda. It must not block or throw.</param>
    /// <remarks>As the intrusive overload, in the same order, but allocates a small object and a native head.</remarks>
    /// <exception cref="ArgumentNullException">The callback is null.</exception>
    /// <exception cref="OutOfMemoryException">No memory for the head.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    public static void Call<TState>(TState state, [RunsAfterGracePeriod] Action<TState> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        RcuCallbacks.Prepare();
        RcuCallbacks.Queue(ManagedCallback.Create(state, callback));
    }

    /// <summary>Waits until every callback that was queued before, by any thread, has run.</summary>
    /// <exception cref="InvalidOperationException">Called inside a section of this thread, or in a callback.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public static void Barrier()
    {
        ThrowIfMayNotWait();
        RcuCallbacks.Instance.Barrier();
    }

    /// <summary>As <see cref="Barrier()"/>, without holding a thread.</summary>
    /// <param name="cancellationToken">Gives up waiting; the callbacks run nevertheless.</param>
    /// <returns>Completes when they have run; continuations run on the thread pool.</returns>
    /// <exception cref="InvalidOperationException">Called inside a section of this thread, or in a callback.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled (thrown by the task).</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    [WaitsForGracePeriod]
    public static ValueTask BarrierAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfMayNotWait();
        return RcuCallbacks.Instance.BarrierAsync(cancellationToken);
    }

    /// <summary>Runs every callback queued so far, as fast as readers allow; for allocators that run out of memory. Only where <see cref="MayWait"/>.</summary>
    [WaitsForGracePeriod]
    internal static void FlushBacklog()
    {
        SynchronizeExpedited();
        Barrier();
    }

    private static void ThrowNullCallback(string name) => throw new ArgumentNullException(name);
}
