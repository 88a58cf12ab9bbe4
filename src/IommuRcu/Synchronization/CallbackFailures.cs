// Callbacks that throw: counted, told, and nothing else lost.
namespace IommuRcu;

/// <summary>Says which exception a callback threw.</summary>
public sealed class RcuCallbackFailedEventArgs : EventArgs
{
    internal RcuCallbackFailedEventArgs(Exception exception) => Exception = exception;

    /// <summary>Gets what the callback threw.</summary>
    public Exception Exception { get; }
}

/// <summary>Counts and raises failures of callbacks.</summary>
internal static class CallbackFailures
{
    private static long _count;

    internal static event EventHandler<RcuCallbackFailedEventArgs>? Raised;

    internal static long Count => Volatile.Read(ref _count);

    /// <param name="exception">What it threw.</param>
    /// <param name="domain">Where the callback was queued.</param>
    internal static void Report(Exception exception, CallbackDomain domain)
    {
        Interlocked.Increment(ref _count);
        Listeners.Post(() => RcuEventSource.Log.CallbackFailed(exception.GetType().FullName ?? "", MessageOf(exception)));
        EventHandler<RcuCallbackFailedEventArgs>? handlers = domain.CallbackFailed + Raised;
        if (handlers != null)
        {
            var args = new RcuCallbackFailedEventArgs(exception);
            foreach (Delegate handler in handlers.GetInvocationList())
            {
                SafeEvents.Raise((EventHandler<RcuCallbackFailedEventArgs>)handler, args);
            }
        }
    }

    // The getter is the user's code.
    private static string MessageOf(Exception exception)
    {
        try
        {
            return exception.Message;
        }
#pragma warning disable CA1031 // whatever it throws, the failure itself is still told
        catch (Exception e)
#pragma warning restore CA1031
        {
            return "(its message could not be read: " + e.GetType().FullName + ")";
        }
    }
}
