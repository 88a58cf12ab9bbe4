// IRCU064: disposes a pool that queued callbacks will still use.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.PoolOwners;

sealed class Pool : IDisposable
{
    [RunsAfterGracePeriod]
    public void Free(object item) => GC.KeepAlive(item);

    public void Dispose() { }
}

class Owner
{
    public void Run(object item)
    {
        var pool = new Pool();
        Rcu.Call((pool, item), static state => state.pool.Free(state.item));
        pool.Dispose();
    }
}
