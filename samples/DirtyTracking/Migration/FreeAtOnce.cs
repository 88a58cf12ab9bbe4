// The mistake: table pages are freed as soon as the IOTLB is flushed, while software may still be walking them.
using IommuRcu;
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace DirtyTracking.Migration;

/// <summary>What many drivers do. Devices are safe from it, because the flush comes first; dirty tracking is not.</summary>
internal sealed class FreeAtOnce : RetireStrategy
{
    private long _freed;

    /// <summary>How many pages were freed without a grace period.</summary>
    public long Freed => Volatile.Read(ref _freed);

    [RcuUnsafe("Wrong on purpose: shows what a direct free does to a walker, and that it is caught.")]
    public override void Retire(PageAllocator allocator, [Retires] ref PageList pages)
    {
        Interlocked.Add(ref _freed, pages.Count);
        allocator.FreeList(ref pages);
    }
}
