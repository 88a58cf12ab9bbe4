// IRCU061: captures in a reclaim callback, and so allocates for each buffer.
using IommuRcu;

namespace UndisciplinedDriver.BufferRecyclers;

class Recycler
{
    private int _recycled;

    public void Retire(object buffer) => Rcu.Call(buffer, _ => _recycled++);
}
