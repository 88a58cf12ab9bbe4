// A domain: one address space of devices, and the operations on its page tables.
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

/// <summary>
/// An address space that devices translate through: page tables in physical memory that any number of threads map and unmap in disjoint ranges without a
/// lock, while software and hardware walk them.
/// </summary>
/// <remarks>
/// <para>Callers keep to one rule: no two calls that change mappings touch overlapping ranges at the same time. Looking up, walking, and reading dirty state
/// may overlap anything.</para>
/// <para>A table that leaves the tree goes unlink, gather, IOTLB flush, retire, grace period, free: a walker inside a read section never stands on a freed one.</para>
/// <para><see cref="Map"/>, <see cref="Unmap(Iova, ulong)"/> and <see cref="TryTranslate"/> may be called inside a read section and in a reclaim callback; there they never wait.</para>
/// </remarks>
public abstract partial class IommuDomain : IDisposable
{
    private protected IommuDomain(IommuDomainOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(options.PageAllocator, nameof(options));
        ArgumentNullException.ThrowIfNull(options.RetireStrategy, nameof(options));
        Options = options;
        PageAllocator = options.PageAllocator;
        Invalidator = options.Invalidator;
    }

    /// <summary>Gets the options that the domain was built with.</summary>
    public IommuDomainOptions Options { get; }

    /// <summary>Gets the allocator that tables come from and return to.</summary>
    public PageAllocator PageAllocator { get; }

    /// <summary>Gets the name of the page-table format.</summary>
    public abstract string FormatName { get; }

    /// <summary>Gets the width of an IOVA in bits.</summary>
    public abstract int AddressBits { get; }

    /// <summary>Gets log2 of the smallest page in bytes.</summary>
    public abstract int GranuleLog2 { get; }

    /// <summary>Gets the page sizes in use, as a bitmap in which bit n stands for 2^n bytes.</summary>
    public abstract ulong PageSizes { get; }

    /// <summary>Gets whether IOVAs are sign-extended: the aperture is a low and a high half.</summary>
    public abstract bool IsSignExtended { get; }

    /// <summary>Gets the root table as hardware is to be told of it: address and levels of one moment.</summary>
    /// <remarks>
    /// While the root grows it is the new one from before <see cref="IIommuInvalidator.RootChanged"/> is called: who attaches a device and reads this
    /// under a lock that RootChanged takes as well misses no root.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    public abstract PageTableRoot Root { get; }

    private protected IIommuInvalidator? Invalidator { get; }

    /// <summary>Builds a domain of one of the library's formats.</summary>
    /// <param name="format">The format.</param>
    /// <param name="options">What the domain needs; it must fit the format.</param>
    /// <exception cref="ArgumentException">The options do not fit the format: granule or address width.</exception>
    /// <exception cref="OutOfMemoryException">There is no memory for the root table.</exception>
    public static IommuDomain Create(PageTableFormat format, IommuDomainOptions options)
    {
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(options);
        return format.CreateDomain(options);
    }

    /// <summary>Builds a domain of any format, the library's own or another.</summary>
    /// <typeparam name="TFormat">The format's facts.</typeparam>
    /// <param name="options">What the domain needs; it must fit the format.</param>
    /// <exception cref="ArgumentException">The options do not fit the format: granule or address width.</exception>
    /// <exception cref="OutOfMemoryException">There is no memory for the root table.</exception>
    public static IommuDomain Create<TFormat>(IommuDomainOptions options)
        where TFormat : struct, IPageTableFormat => new PageTableDomain<TFormat>(options);

    /// <summary>Maps a range, with the largest pages that the alignment of both addresses and the length allow. All or nothing.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="address">The physical address of the range, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <param name="access">What devices may do.</param>
    /// <exception cref="ArgumentException">A value is misaligned, the range is empty, overflows or lies outside the aperture, or the format has no such access.</exception>
    /// <exception cref="IovaInUseException">Part of the range is mapped; nothing was changed.</exception>
    /// <exception cref="OutOfMemoryException">There is no memory for the tables; nothing was changed.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public abstract void Map(Iova iova, PhysicalAddress address, ulong size, IommuAccess access);

    /// <summary>Unmaps a range, flushes it, and retires the tables that left the tree. Holes are skipped.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <returns>How many bytes were mapped.</returns>
    /// <exception cref="ArgumentException">A value is misaligned, the range is empty, overflows or lies outside the aperture, or begins or ends inside a larger page; nothing was changed.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    /// <remarks>When the flush fails, its exception is thrown; the range is unmapped, and its invalidation is left to the domain's next flush.</remarks>
    [MayHoldReadLock]
    public abstract ulong Unmap(Iova iova, ulong size);

    /// <summary>Unmaps a range, and leaves its flush to a gather.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <param name="gather">The gather; devices may reach the range until it is synced.</param>
    /// <returns>How many bytes were mapped.</returns>
    /// <exception cref="ArgumentException">As <see cref="Unmap(Iova, ulong)"/>; or the gather belongs to another domain.</exception>
    /// <exception cref="InvalidOperationException">The gather is over.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public ulong Unmap(Iova iova, ulong size, ref IotlbGather gather) => UnmapInto(iova, size, ref gather.DataFor(this), null);

    /// <summary>Unmaps a range, leaves its flush to a gather, and reports what was dirty: entries are cleared by exchange, so no write is missed.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <param name="gather">The gather; devices may reach the range until it is synced, and only after that may the memory be copied.</param>
    /// <param name="dirty">Where dirty pages are marked.</param>
    /// <returns>How many bytes were mapped.</returns>
    /// <exception cref="ArgumentException">As <see cref="Unmap(Iova, ulong)"/>; or the gather belongs to another domain.</exception>
    /// <exception cref="InvalidOperationException">The gather is over.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public ulong Unmap(Iova iova, ulong size, ref IotlbGather gather, DirtyBitmap dirty)
    {
        ArgumentNullException.ThrowIfNull(dirty);
        return UnmapInto(iova, size, ref gather.DataFor(this), dirty);
    }

    /// <summary>Finds where an address leads now. Opens its own read section.</summary>
    /// <param name="iova">The address; any byte.</param>
    /// <param name="translation">Where it leads.</param>
    /// <returns><see langword="false"/> when nothing is mapped there, or the address lies outside the aperture.</returns>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public abstract bool TryTranslate(Iova iova, out Translation translation);

    /// <summary>Walks the mapped pages of a range, in order, inside the caller's section.</summary>
    /// <param name="iova">The first address.</param>
    /// <param name="size">The size in bytes, above 0.</param>
    /// <returns>The walk, to be used in a <see langword="foreach"/> or by <see cref="PageTableWalk.MoveNext"/> before the section closes.</returns>
    /// <remarks>
    /// The walk never cuts: while it runs the caller's section holds up grace periods. To cut, leave it, close the section, open another, and walk on from
    /// <see cref="PageTableWalk.ResumeAt"/>. A page that stays mapped throughout is met exactly once; one that is mapped or unmapped meanwhile may be met or not.
    /// </remarks>
    /// <exception cref="ArgumentException">The range is empty, overflows or lies outside the aperture.</exception>
    /// <exception cref="InvalidOperationException">No read section is open.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [RequiresReadLock(DomainType = typeof(Rcu))]
    public abstract PageTableWalk Walk(Iova iova, ulong size);

    /// <summary>Marks the dirty pages of a range in a bitmap. Flushes, drained, what it cleaned before it returns: the pages may then be copied.</summary>
    /// <param name="iova">The first address.</param>
    /// <param name="size">The size in bytes, above 0.</param>
    /// <param name="bitmap">Where dirty pages are marked. The range is clipped to the bitmap's.</param>
    /// <param name="mode">Whether dirty pages become clean.</param>
    /// <remarks>
    /// <para>Cuts itself into bounded read sections. A page that is mapped while it runs may be missed, and is found by the next call.</para>
    /// <para>A page that reaches out of the range is reported for the part inside, and stays dirty. A write after its page was found and before the call returned
    /// may be in what is copied next, and is reported by the next call.</para>
    /// <para>When the flush fails, its exception is thrown and the bitmap holds what was found: do not copy before a later call, or
    /// <see cref="FlushPending"/>, has flushed.</para>
    /// </remarks>
    /// <exception cref="ArgumentException">The range is empty, overflows or lies outside the aperture; or the mode is not valid.</exception>
    /// <exception cref="NotSupportedException">The format has no dirty state.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public void ReadDirty(Iova iova, ulong size, DirtyBitmap bitmap, DirtyReadMode mode)
    {
        GatherData data = default;
        try
        {
            ReadDirtyInto(iova, size, bitmap, mode, ref data);
        }
        finally
        {
            FlushStrictly(ref data);
        }
    }

    /// <summary>Marks the dirty pages of a range in a bitmap, and leaves the flush of what it cleaned to a gather.</summary>
    /// <param name="iova">The first address.</param>
    /// <param name="size">The size in bytes, above 0.</param>
    /// <param name="bitmap">Where dirty pages are marked. The range is clipped to the bitmap's.</param>
    /// <param name="mode">Whether dirty pages become clean.</param>
    /// <param name="gather">The gather: only after it was synced may the pages be copied.</param>
    /// <exception cref="ArgumentException">As <see cref="ReadDirty(Iova, ulong, DirtyBitmap, DirtyReadMode)"/>; or the gather belongs to another domain.</exception>
    /// <exception cref="InvalidOperationException">The gather is over.</exception>
    /// <exception cref="NotSupportedException">The format has no dirty state.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public void ReadDirty(Iova iova, ulong size, DirtyBitmap bitmap, DirtyReadMode mode, ref IotlbGather gather)
        => ReadDirtyInto(iova, size, bitmap, mode, ref gather.DataFor(this));

    /// <summary>
    /// Reclaims every table that is empty now, also those that are kept back because they became empty only lately. Never waits.
    /// </summary>
    /// <returns>How many tables left the tree; 0 also where another thread is reclaiming at this moment, or where empty tables are kept.</returns>
    /// <remarks>
    /// There is no need to call it: unmapping reclaims by itself. At most some fifty empty tables, and those above them, are kept back for each domain.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    [MayHoldReadLock]
    public abstract int ReclaimEmptyTables();

    /// <summary>
    /// Takes the tables down: flushes the whole address space, waits for one grace period however large the domain, and frees every table.
    /// </summary>
    /// <remarks>No device may be attached and no other call be running. What earlier calls retired is freed when it returns as well.</remarks>
    /// <exception cref="InvalidOperationException">Called inside a read section or in a reclaim callback; nothing was changed.</exception>
    [WaitsForGracePeriod(DomainType = typeof(Rcu))]
    public abstract void Dispose();

    internal abstract void ThrowIfDisposed();

    /// <summary>Unmaps into a gather; the strict forms flush it themselves.</summary>
    [MayHoldReadLock]
    internal abstract ulong UnmapInto(Iova iova, ulong size, ref GatherData data, DirtyBitmap? dirty);

    [MayHoldReadLock]
    internal abstract void ReadDirtyInto(Iova iova, ulong size, DirtyBitmap bitmap, DirtyReadMode mode, ref GatherData data);

    [MayHoldReadLock]
    internal abstract void ReadAccessedInto(Iova iova, ulong size, DirtyBitmap bitmap, DirtyReadMode mode, ref GatherData data);

    [MayHoldReadLock]
    internal abstract ulong ProtectInto(Iova iova, ulong size, IommuAccess access, ref GatherData data);

    [MayHoldReadLock]
    internal abstract int SplitInto(Iova iova, ulong size, ulong pageSize, ref GatherData data);

    /// <summary>Copies the table of a level that serves an address; null where there is none (any more). Opens its own section.</summary>
    internal abstract PageTableSnapshot? TrySnapshotTable(Iova iova, int tableLevel);

    /// <summary>Fills a walk's buffer with the pages that come next.</summary>
    [RequiresReadLock(DomainType = typeof(Rcu))]
    internal abstract void WalkNext(ref PageTableWalk walk);

    /// <summary>Runs a visitor with the domain's format as a type argument.</summary>
    internal abstract TResult Accept<TVisitor, TResult>(ref TVisitor visitor)
        where TVisitor : struct, IDomainVisitor<TResult>;
}
