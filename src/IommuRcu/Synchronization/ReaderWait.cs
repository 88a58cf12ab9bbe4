// How a leader passes the time while readers are in the way: microseconds of spinning, then sleep.
using System.Diagnostics;

namespace IommuRcu;

/// <summary>A point in time at which a wait gives up; never by default.</summary>
internal readonly struct Deadline
{
    private readonly long _at;

    private Deadline(long at) => _at = at;

    /// <summary>The deadline this far from now.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is negative, other than <see cref="Timeout.InfiniteTimeSpan"/>, or too long.</exception>
    internal static Deadline After(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
        {
            return default;
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(timeout.TotalMilliseconds, int.MaxValue, nameof(timeout));
        return new Deadline(Math.Max(1, Stopwatch.GetTimestamp() + (long)(timeout.TotalSeconds * Stopwatch.Frequency)));
    }

    /// <summary>0 when it has passed; <see cref="Timeout.Infinite"/> when there is none; else at least 1.</summary>
    internal int RemainingMilliseconds
    {
        get
        {
            if (_at == 0)
            {
                return Timeout.Infinite;
            }

            long left = _at - Stopwatch.GetTimestamp();
            return left <= 0 ? 0 : (int)Math.Min(int.MaxValue, 1 + (left * 1000 / Stopwatch.Frequency));
        }
    }
}

/// <summary>One leader's patience with readers.</summary>
internal struct ReaderWait
{
    // A few microseconds of spinning, for sections that are just about to end; some yields, for readers that were preempted; then sleep.
    // The exit of a section cannot wake anybody - it would need a fence to do so safely - so the sleep is a timed one.
    private const int Spins = 24;
    private const int Yields = 8;
    private const int ExpeditedYields = 64;
    private const int LongestSleepMilliseconds = 4;

    private readonly Deadline _deadline;
    private readonly bool _expedited;
    private readonly bool _sleeps;
    private int _round;

    internal ReaderWait(Deadline deadline, bool expedited)
        : this(expedited, sleeps: true) => _deadline = deadline;

    private ReaderWait(bool expedited, bool sleeps)
    {
        _expedited = expedited;
        _sleeps = sleeps;
    }

    /// <summary>Spins and yields a little, and never sleeps.</summary>
    internal static ReaderWait Brief => default;

    /// <summary>Never sleeps either, but yields as often as an expedited wait.</summary>
    internal static ReaderWait BriefExpedited => new(expedited: true, sleeps: false);

    /// <summary>Whether the wait has become long enough to look for dead threads and stalls.</summary>
    internal readonly bool HasSlept => _round > Spins + (_expedited ? ExpeditedYields : Yields);

    /// <summary>Passes some time; false when it is time to give up.</summary>
    /// <param name="hurried">Whether somebody who shares the grace period is in a hurry.</param>
    internal bool Pause(bool hurried)
    {
        int round = _round++;
        if (round < Spins)
        {
            Thread.SpinWait(8);
            return true;
        }

        int yields = _expedited ? ExpeditedYields : Yields;
        if (round < Spins + yields)
        {
            Thread.Yield();
            return true;
        }

        if (!_sleeps)
        {
            return false;
        }

        int left = _deadline.RemainingMilliseconds;
        if (left == 0)
        {
            return false;
        }

        int sleep = _expedited || hurried ? 1 : Math.Min(LongestSleepMilliseconds, 1 + ((round - Spins - yields) / 8));
        Thread.Sleep(left == Timeout.Infinite ? sleep : Math.Min(sleep, left));
        return true;
    }
}
