// Operations on what is mapped: harvest, accessed state, access, page size.
using IommuRcu.Annotations;

namespace IommuRcu;

public abstract partial class IommuDomain
{
    /// <summary>Unmaps a range, reports what was dirty, and flushes: afterwards the memory may be copied.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <param name="dirty">Where dirty pages are marked.</param>
    /// <returns>How many bytes were mapped.</returns>
    /// <exception cref="ArgumentException">As <see cref="Unmap(Iova, ulong)"/>.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public ulong Unmap(Iova iova, ulong size, DirtyBitmap dirty)
    {
        ArgumentNullException.ThrowIfNull(dirty);
        GatherData data = default;
        ulong unmapped = UnmapInto(iova, size, ref data, dirty);
        FlushStrictly(ref data);
        return unmapped;
    }

    /// <summary>Marks the pages of a range that devices accessed, as <see cref="ReadDirty(Iova, ulong, DirtyBitmap, DirtyReadMode)"/> does with those that they wrote.</summary>
    /// <param name="iova">The first address.</param>
    /// <param name="size">The size in bytes, above 0.</param>
    /// <param name="bitmap">Where accessed pages are marked. The range is clipped to the bitmap's.</param>
    /// <param name="mode">Whether the pages count as not accessed afterwards.</param>
    /// <remarks>Where hardware does not manage the accessed flag itself (Arm without HTTU), a page that counts as not accessed faults: only peek there.</remarks>
    /// <exception cref="ArgumentException">The range is empty, overflows or lies outside the aperture; or the mode is not valid.</exception>
    /// <exception cref="NotSupportedException">The format has no accessed state.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public void ReadAccessed(Iova iova, ulong size, DirtyBitmap bitmap, DirtyReadMode mode)
    {
        GatherData data = default;
        try
        {
            ReadAccessedInto(iova, size, bitmap, mode, ref data);
        }
        finally
        {
            FlushStrictly(ref data);
        }
    }

    /// <summary>Changes what devices may do with the mapped pages of a range, and flushes it. Holes are skipped; no page is unmapped in between.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <param name="access">What devices may do from now on.</param>
    /// <returns>How many bytes are mapped in the range.</returns>
    /// <remarks>
    /// Dirty and accessed state stay. Two exceptions follow from the formats: a page that becomes writable counts as dirty as a new mapping of it would, and where a
    /// read-only page cannot be dirty (Arm) the state is lost: read it first.
    /// </remarks>
    /// <exception cref="ArgumentException">
    /// A value is misaligned, the range is empty, overflows, lies outside the aperture, or cuts a larger page; or the format has no such access; or, where the format
    /// <see cref="IPageTableFormat.NeedsBreakBeforeMake"/> (Arm), a page has another memory type (<see cref="IommuAccess.Cacheable"/>,
    /// <see cref="IommuAccess.Mmio"/>), which takes unmapping and mapping it again. Nothing was changed.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public ulong Protect(Iova iova, ulong size, IommuAccess access)
    {
        GatherData data = default;
        ulong mapped = ProtectInto(iova, size, access, ref data);
        FlushStrictly(ref data);
        return mapped;
    }

    /// <summary>Changes what devices may do with the mapped pages of a range, and leaves the flush to a gather.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <param name="access">What devices may do from now on.</param>
    /// <param name="gather">The gather; devices may do what they could before until it is synced.</param>
    /// <returns>How many bytes are mapped in the range.</returns>
    /// <exception cref="ArgumentException">As <see cref="Protect(Iova, ulong, IommuAccess)"/>; or the gather belongs to another domain.</exception>
    /// <exception cref="InvalidOperationException">The gather is over.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public ulong Protect(Iova iova, ulong size, IommuAccess access, ref IotlbGather gather) => ProtectInto(iova, size, access, ref gather.DataFor(this));

    /// <summary>Splits every page of a range that is larger than a size into pages of that size, without a moment of fault, and flushes.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <param name="pageSize">The size of the parts in bytes: one of <see cref="PageSizes"/>.</param>
    /// <returns>How many pages were split. A page that reaches out of the range is split as a whole, and is the caller's as a whole.</returns>
    /// <remarks>Where a page was dirty, all its parts are.</remarks>
    /// <exception cref="ArgumentException">A value is misaligned, the range is empty, overflows or lies outside the aperture; or there are no pages of that size.</exception>
    /// <exception cref="NotSupportedException">The format needs an invalid entry in between (<see cref="IommuDomainOptions.ReplacesWithoutBreak"/>).</exception>
    /// <exception cref="OutOfMemoryException">There is no memory for the tables. Pages before may be split already; nothing is unmapped.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public int Split(Iova iova, ulong size, ulong pageSize)
    {
        GatherData data = default;
        try
        {
            return SplitInto(iova, size, pageSize, ref data);
        }
        finally
        {
            FlushStrictly(ref data);
        }
    }

    /// <summary>Merges the pages of a range into one page of the range's size, without a moment of fault, and flushes. The tables that leave the tree are retired.</summary>
    /// <param name="iova">The first address, aligned to the size.</param>
    /// <param name="size">The size of the page in bytes: one of <see cref="PageSizes"/>.</param>
    /// <returns><see langword="false"/>, and nothing changed, unless the whole range is mapped with one access to contiguous memory that is aligned to the size.</returns>
    /// <remarks>Where one of the pages was dirty, or becomes so meanwhile, the page is.</remarks>
    /// <exception cref="ArgumentException">The address is misaligned, the range lies outside the aperture, or there are no pages of that size.</exception>
    /// <exception cref="NotSupportedException">The format needs an invalid entry in between (<see cref="IommuDomainOptions.ReplacesWithoutBreak"/>).</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public abstract bool TryMerge(Iova iova, ulong size);
}
