// Settings of the thread-bound domain, and its reports.
namespace IommuRcu;

public static unsafe partial class Rcu
{
    /// <summary>Raised on a pool thread when a section holds up a grace period for longer than <see cref="StallLimit"/>, and when a thread ended inside one.</summary>
    /// <remarks>Raised again each time the wait has doubled. Sections of every <see cref="SleepableRcu"/> are reported here too. What a handler throws is ignored.</remarks>
    public static event EventHandler<RcuStallEventArgs>? StallDetected
    {
        add => StallReports.Reported += value;
        remove => StallReports.Reported -= value;
    }

    /// <summary>Gets or sets how long a grace period waits for one section before that is reported: 10 seconds by default, zero for never.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The value is negative.</exception>
    public static TimeSpan StallLimit
    {
        get => StallReports.Limit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            StallReports.Limit = value;
        }
    }

    /// <summary>Gets or sets whether every outermost section records the stack that opened it, for stall reports. Off by default; costs microseconds a section.</summary>
    /// <remarks>The AppContext switch <c>IommuRcu.ProvingMode</c> sets it from the start. Sections that are open when it is set are not recorded.</remarks>
    public static bool ProvingMode
    {
        get => ReaderRegistry.RecordsOpeners;
        set => ReaderRegistry.RecordsOpeners = value;
    }

    /// <summary>Gets or sets how many callbacks of one thread, or of one <see cref="SleepableRcu"/>, may be outstanding before <c>Call</c> waits: 65,536 by default.</summary>
    /// <remarks>
    /// From there on every call (<c>Call</c>, <c>Free</c>) waits until half of them have run, but at most 100 milliseconds, since what it waits for may
    /// depend on the caller: a thread adds at most ten a second while a reader stalls. Blocks to be freed count as callbacks. Inside a section and in
    /// callbacks nothing waits; that is counted in the <c>callbacks.backpressure.skipped</c> instrument. A lower limit is noticed within 512 calls.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The value is less than 1024.</exception>
    public static int CallbackLimit
    {
        get => (int)RcuCallbacks.Limit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1024);
            RcuCallbacks.Limit = value;
        }
    }
}
