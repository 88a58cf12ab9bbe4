// Locks beside grace periods: a wait with a lock held that no reader needs, and locks of readers that are given back before the wait.
using IommuRcu;

namespace ValidCode;

internal sealed class LocksAndGracePeriods
{
    private readonly Lock _writers = new();
    private readonly Lock _statistics = new();
    private int _hits;
    private int _generation;

    public int Hit()
    {
        lock (_statistics)
        {
            using (Rcu.ReadLock())
            {
                _hits++;
                return Volatile.Read(ref _generation);
            }
        }
    }

    public void Advance()
    {
        lock (_writers)
        {
            Volatile.Write(ref _generation, _generation + 1);
            Rcu.Synchronize();
        }
    }

    public void Reset()
    {
        lock (_statistics)
        {
            _hits = 0;
        }

        Rcu.Synchronize();
    }

    public void ResetLater() => Rcu.Call(this, static counters =>
    {
        lock (counters._statistics)
        {
            counters._hits = 0;
        }
    });

    public void Drain()
    {
        lock (_writers)
        {
            Rcu.Barrier();
        }
    }
}
