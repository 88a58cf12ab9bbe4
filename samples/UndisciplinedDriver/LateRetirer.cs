// IRCU066: queues a callback on a domain that it has shut down.
using IommuRcu;

namespace UndisciplinedDriver.LateRetirers;

class LateRetirer
{
    public void Close(SleepableRcu rcu, object item)
    {
        rcu.Dispose();
        rcu.Call(item, static old => GC.KeepAlive(old));
    }
}
