// IRCU027: waits for its readers with the lock that they take.
using IommuRcu;

namespace UndisciplinedDriver.HitCounters;

sealed class HitCounter
{
    private readonly object _gate = new();
    private readonly Dictionary<ulong, int> _hits = new();

    public void Hit(ulong iova)
    {
        using (Rcu.ReadLock())
        {
#pragma warning disable IRCU022 // held for an instant
            lock (_gate)
#pragma warning restore IRCU022
            {
                _hits[iova] = _hits.GetValueOrDefault(iova) + 1;
            }
        }
    }

    public void Reset()
    {
        lock (_gate)
        {
            _hits.Clear();
            Rcu.Synchronize();
        }
    }
}
