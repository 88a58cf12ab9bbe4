// What the checks have found. The checks are the same in both modes.
namespace DirtyTracking.Migration;

/// <summary>Counters that any thread raises. In a right run all stay 0.</summary>
internal sealed class Findings
{
    private const int ErrorLimit = 10;
    private readonly List<string> _errors = [];
    private long _wrongTranslations;
    private long _lateReads;

    /// <summary>An IOVA led to a page that was never mapped there.</summary>
    internal long WrongTranslations => Volatile.Read(ref _wrongTranslations);

    /// <summary>The memory of a freed table was read, or written.</summary>
    internal long LateReads => Volatile.Read(ref _lateReads);

    internal IReadOnlyList<string> Errors
    {
        get
        {
            lock (_errors)
            {
                return [.. _errors];
            }
        }
    }

    internal void WrongTranslation() => Interlocked.Increment(ref _wrongTranslations);

    internal void LateRead(long count = 1) => Interlocked.Add(ref _lateReads, count);

    internal void Error(string what)
    {
        lock (_errors)
        {
            if (_errors.Count < ErrorLimit)
            {
                _errors.Add(what);
            }
        }
    }
}
