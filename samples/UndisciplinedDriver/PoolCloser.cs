// IRCU065: waits for readers where it should wait for callbacks.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.PoolClosers;

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
        Rcu.Synchronize();
        pool.Dispose();
    }
}
