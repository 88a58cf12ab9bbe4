// Waiting for a grace period: blocking, with a timeout, polled, or awaited.
using IommuRcu.Annotations;

namespace IommuRcu;

public static unsafe partial class Rcu
{
    /// <summary>Gets whether the calling thread may wait for a grace period: it is in no section, and does not run callbacks.</summary>
    internal static bool MayWait
    {
        get
        {
            ReaderSlot* slot = CurrentReader.Slot;
            return slot == null || (!slot->InSection && !slot->RunsCallbacks);
        }
    }

    /// <summary>Waits until every section that is open now has closed. What was unlinked before may then be freed.</summary>
    /// <remarks>Waiters share grace periods. With no reader in the way it takes about two process-wide barriers, under a microsecond.</remarks>
    /// <exception cref="InvalidOperationException">Called inside a section of this thread, or in a callback: it would never return.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public static void Synchronize()
    {
        ThrowIfMayNotWait();
        RcuGracePeriods.Instance.WaitFor(RcuGracePeriods.Instance.NextTarget(), default, expedited: false);
    }

    /// <summary>As <see cref="Synchronize()"/>, for no longer than a limit.</summary>
    /// <param name="timeout">The limit; <see cref="Timeout.InfiniteTimeSpan"/> for none.</param>
    /// <returns>Whether the grace period is over. If not, nothing may be freed yet.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The limit is negative or longer than 2^31 - 1 milliseconds.</exception>
    /// <exception cref="InvalidOperationException">Called inside a section of this thread, or in a callback.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public static bool Synchronize(TimeSpan timeout)
    {
        Deadline deadline = Deadline.After(timeout);
        ThrowIfMayNotWait();
        return RcuGracePeriods.Instance.WaitFor(RcuGracePeriods.Instance.NextTarget(), deadline, expedited: false);
    }

    /// <summary>As <see cref="Synchronize()"/>, looking at readers more often before it sleeps.</summary>
    /// <exception cref="InvalidOperationException">Called inside a section of this thread, or in a callback.</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public static void SynchronizeExpedited()
    {
        ThrowIfMayNotWait();
        RcuGracePeriods.Instance.WaitFor(RcuGracePeriods.Instance.NextTarget(), default, expedited: true);
    }

    /// <summary>As <see cref="Synchronize()"/>, without holding a thread. Completes at once where no reader is in the way.</summary>
    /// <param name="cancellationToken">Gives up waiting; the grace period goes on.</param>
    /// <returns>Completes when the grace period is over; continuations run on the thread pool.</returns>
    /// <exception cref="InvalidOperationException">Called inside a section of this thread, or in a callback: whoever blocked on it would never return.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled (thrown by the task).</exception>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    [WaitsForGracePeriod]
    public static ValueTask SynchronizeAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfMayNotWait();
        return RcuCallbacks.Instance.SynchronizeAsync(cancellationToken);
    }

    /// <summary>Names the grace period that covers everything the caller unlinked before, and sees to it that it comes to pass.</summary>
    /// <returns>A cookie for <see cref="HasElapsed"/> and <see cref="WaitFor"/>.</returns>
    /// <remarks>May be called anywhere, also inside a section and in callbacks. Never waits.</remarks>
    /// <exception cref="PlatformNotSupportedException">The system has no process-wide memory barrier.</exception>
    public static RcuCookie StartGracePeriod()
    {
        ProcessWideBarrier.Require();
        return RcuCallbacks.Instance.StartGracePeriod();
    }

    /// <summary>Tells whether the cookie's grace period is over. Never waits.</summary>
    /// <param name="cookie">From <see cref="StartGracePeriod"/>.</param>
    /// <returns>True once it is over, and ever after.</returns>
    /// <exception cref="ArgumentException">The cookie is another domain's.</exception>
    public static bool HasElapsed(RcuCookie cookie) => RcuGracePeriods.Instance.HasElapsed(cookie);

    /// <summary>Waits until the cookie's grace period is over.</summary>
    /// <param name="cookie">From <see cref="StartGracePeriod"/>.</param>
    /// <exception cref="ArgumentException">The cookie is another domain's.</exception>
    /// <exception cref="InvalidOperationException">Called inside a section of this thread, or in a callback.</exception>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted while it waited.</exception>
    [WaitsForGracePeriod]
    public static void WaitFor(RcuCookie cookie)
    {
        RcuGracePeriods.Instance.Check(cookie);
        ThrowIfMayNotWait();
        RcuGracePeriods.Instance.WaitFor(cookie.Number, default, expedited: false);
    }

    private static void ThrowIfMayNotWait()
    {
        if (!MayWait)
        {
            ThrowMayNotWait();
        }

        ProcessWideBarrier.Require();
    }

    private static void ThrowMayNotWait() =>
        throw new InvalidOperationException(
            CallbackThread.IsCurrent
                ? "A callback must not wait for a grace period or for callbacks: it would wait for itself."
                : "Waiting for a grace period or for callbacks inside a read-side section would never end: the grace period waits for that section.");
}
