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

    internal static void Report(Exception exception)
    {
        Interlocked.Increment(ref _count);
        RcuEventSource.Log.CallbackFailed(exception.GetType().FullName ?? "", exception.Message);
        if (Raised is { } handlers)
        {
            var args = new RcuCallbackFailedEventArgs(exception);
            foreach (Delegate handler in handlers.GetInvocationList())
            {
                SafeEvents.Raise((EventHandler<RcuCallbackFailedEventArgs>)handler, args);
            }
        }
    }
}
