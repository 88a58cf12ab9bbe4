// Sections that stay open too long, and threads that end inside one: told to whoever listens.
using System.Diagnostics;

namespace IommuRcu;

/// <summary>What a stall report says.</summary>
public sealed class RcuStallEventArgs : EventArgs
{
    internal RcuStallEventArgs(string domain, int threadId, string? threadName, TimeSpan openFor, string? opener, bool threadEnded)
    {
        Domain = domain;
        ManagedThreadId = threadId;
        ThreadName = threadName;
        OpenFor = openFor;
        OpenerStack = opener;
        ThreadEnded = threadEnded;
    }

    /// <summary>Gets the domain whose grace period waits: <c>Rcu</c>, or the name of a <see cref="SleepableRcu"/>.</summary>
    public string Domain { get; }

    /// <summary>Gets the id of the thread that opened the section.</summary>
    public int ManagedThreadId { get; }

    /// <summary>Gets the name of that thread, if it has one.</summary>
    public string? ThreadName { get; }

    /// <summary>Gets how long the section has been open at least: the time that a grace period has waited for it.</summary>
    public TimeSpan OpenFor { get; }

    /// <summary>Gets the stack that opened the section, where <see cref="Rcu.ProvingMode"/> was on when it opened.</summary>
    public string? OpenerStack { get; }

    /// <summary>Gets whether the thread ended inside its section. It is no longer waited for.</summary>
    public bool ThreadEnded { get; }
}

/// <summary>Counts and raises stall reports.</summary>
internal static class StallReports
{
    private static readonly TimeSpan _defaultLimit = TimeSpan.FromSeconds(10);
    private static long _limitTicks = _defaultLimit.Ticks;
    private static long _stalls;

    internal static event EventHandler<RcuStallEventArgs>? Reported;

    internal static TimeSpan Limit
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _limitTicks));
        set => Volatile.Write(ref _limitTicks, value.Ticks);
    }

    internal static long Stalls => Volatile.Read(ref _stalls);

    internal static void ReportOpen(string domain, int threadId, string? threadName, TimeSpan openFor, StackTrace? opener) =>
        Report(new RcuStallEventArgs(domain, threadId, threadName, openFor, opener?.ToString(), threadEnded: false));

    internal static void ReportEnded(string domain, Thread thread, StackTrace? opener) =>
        Report(new RcuStallEventArgs(domain, thread.ManagedThreadId, thread.Name, TimeSpan.Zero, opener?.ToString(), threadEnded: true));

    private static void Report(RcuStallEventArgs report)
    {
        Interlocked.Increment(ref _stalls);
        Listeners.Post(() => RcuEventSource.Log.Stall(
            report.Domain, report.ManagedThreadId, report.ThreadName ?? "", (long)report.OpenFor.TotalMilliseconds, report.ThreadEnded));
        if (Reported is { } handlers)
        {
            // On the pool: this thread leads a grace period or holds a lock, and a handler may want to wait for either.
            ThreadPool.UnsafeQueueUserWorkItem(
                static state =>
                {
                    foreach (Delegate handler in state.handlers.GetInvocationList())
                    {
                        SafeEvents.Raise((EventHandler<RcuStallEventArgs>)handler, state.report);
                    }
                },
                (handlers, report),
                preferLocal: false);
        }
    }
}

/// <summary>Raises events whose handlers must not break what raises them.</summary>
internal static class SafeEvents
{
    private static long _handlerFailures;

    internal static long HandlerFailures => Volatile.Read(ref _handlerFailures);

    internal static void Raise<TArgs>(EventHandler<TArgs> handler, TArgs args)
    {
        try
        {
            handler(null, args);
        }
#pragma warning disable CA1031 // a listener's failure is its own; it is counted
        catch (Exception)
#pragma warning restore CA1031
        {
            Interlocked.Increment(ref _handlerFailures);
        }
    }
}

/// <summary>Decides when a reader in the way is reported: at the limit, then each time the wait has doubled. The leader of a domain owns it.</summary>
internal sealed class StallWatch
{
    private int _reader = -1;
    private ulong _announced;
    private TimeSpan _next;

    /// <summary>Whether this section is due to be reported.</summary>
    internal bool IsDue(int reader, ulong announced, TimeSpan waited)
    {
        TimeSpan limit = StallReports.Limit;
        if (limit <= TimeSpan.Zero)
        {
            return false;
        }

        if (reader != _reader || announced != _announced)
        {
            _reader = reader;
            _announced = announced;
            _next = limit;
        }

        if (waited < _next)
        {
            return false;
        }

        _next = waited * 2;
        return true;
    }
}
