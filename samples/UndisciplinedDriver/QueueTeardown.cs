// IRCU040: gives a table page straight back to the allocator, while devices and readers may still stand on it.
using IommuRcu;
using IommuRcu.Memory;

namespace UndisciplinedDriver;

/// <summary>Takes down the queue of a device.</summary>
public sealed class QueueTeardown(IommuDomain domain, PageAllocator allocator)
{
    /// <summary>Unmaps the queue's range and frees the table page that it leaves empty.</summary>
    public void Remove(Iova queue, ulong size, TablePage emptied)
    {
        domain.Unmap(queue, size);
        allocator.Free(emptied);
    }
}
