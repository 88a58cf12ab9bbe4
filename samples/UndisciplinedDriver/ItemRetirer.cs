// IRCU060: waits for a grace period in a reclaim callback, which that grace period waits for.
using IommuRcu;

namespace UndisciplinedDriver.ItemRetirers;

class Pool
{
    public void Retire(object item)
    {
        Rcu.Call(item, static _ => Rcu.Synchronize());
    }
}
