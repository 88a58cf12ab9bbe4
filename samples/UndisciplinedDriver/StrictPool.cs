// IRCU062: throws in a reclaim callback, where nobody can catch it.
using System;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.StrictPools;

class Pool
{
    [RunsAfterGracePeriod]
    public void Free(object? item)
    {
        if (item is null)
        {
            throw new ArgumentNullException(nameof(item));
        }

        GC.KeepAlive(item);
    }
}
