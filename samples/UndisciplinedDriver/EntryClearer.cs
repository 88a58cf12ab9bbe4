// IRCU051: waits for a grace period for every entry that it removes.
using IommuRcu;
using IommuRcu.Annotations;

namespace UndisciplinedDriver.EntryClearers;

class Registry
{
    private readonly object?[] _entries = new object?[64];

    public void Clear(int[] indices)
    {
        foreach (int index in indices)
        {
            Remove(index);
            Rcu.Synchronize();
        }
    }

    [return: Unlinks]
    private object? Remove(int index) => Interlocked.Exchange(ref _entries[index], null);
}
