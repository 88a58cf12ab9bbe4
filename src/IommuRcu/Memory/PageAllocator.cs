// The allocator of table pages: its public surface, and what is checked when a page comes back.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using IommuRcu.Annotations;

namespace IommuRcu.Memory;

/// <summary>Hands out zeroed, naturally aligned pages of physical memory, and takes them back from any thread.</summary>
/// <remarks>
/// <para>Each 4 KiB frame has a descriptor, as in a kernel's memory map. It records where the page is in its life (<see cref="TablePageState"/>), so a
/// page that is freed twice, freed while an entry still names it, or freed to an allocator that never had it, is refused.</para>
/// <para><see cref="Free"/> frees at once. That is right for a page that was never published, or that was unlinked, flushed and waited for; everything
/// else goes through a gather.</para>
/// <para>All members may be called from any thread, also inside a read-side section and in a reclaim callback. Pages of 4 to 64 KiB are cached
/// for each thread: at most 64 pages of 4 KiB a thread, and fewer larger ones. Neither allocating nor freeing allocates managed memory.</para>
/// <para>There is no finalizer: an allocator that is never disposed keeps its descriptors until the process ends.</para>
/// </remarks>
public sealed unsafe partial class PageAllocator : IDisposable
{
    /// <summary>The 64-bit pattern that a freed page is filled with where <see cref="PageAllocatorOptions.PoisonFreedPages"/> is set.</summary>
    public const ulong Poison = 0x6b6b_6b6b_6b6b_6b6b;

    /// <summary>The size of the smallest page, log2 of bytes.</summary>
    public const int MinSizeLog2 = BuddyFrames.FrameLog2;

    /// <summary>The size of the largest page, log2 of bytes.</summary>
    public const int MaxSizeLog2 = BuddyFrames.FrameLog2 + BuddyFrames.MaxOrder;

    private static readonly object _registryLock = new();
    private static PageAllocator?[] _registry = new PageAllocator?[16];

    private readonly object _lock = new();
    private readonly FrameRange[] _ranges;
    private readonly BuddyFrames _frames;
    private readonly bool _poison;
    private readonly ulong _limit;
    private readonly int _index;

    // The first range, flat, for the checks on the hot paths.
    private readonly PageDescriptor* _firstDescriptors;
    private readonly ulong _firstFrame;

    // Set to 0 by Dispose, so that no check reads a descriptor afterwards.
    private ulong _firstFrames;
    private bool _disposed;

    /// <summary>Makes an allocator over ranges of a memory.</summary>
    /// <param name="memory">The memory to take pages from.</param>
    /// <param name="options">From where, and how many; <see langword="null"/> for all windows without a limit.</param>
    /// <exception cref="ArgumentNullException"><paramref name="memory"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">
    /// A range does not lie in one window, overlaps another range of the options or a range of another allocator on the memory, or no whole frame is left.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The memory is disposed.</exception>
    public PageAllocator(PhysicalMemory memory, PageAllocatorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        options ??= new PageAllocatorOptions();
        Memory = memory;
        _limit = options.LimitBytes;
        _poison = options.PoisonFreedPages;
        _ranges = CreateRanges(memory, options.Ranges ?? memory.Windows);
        _frames = new BuddyFrames(_ranges);
        _firstDescriptors = _ranges[0].Descriptors;
        _firstFrame = _ranges[0].FirstFrame;
        _firstFrames = (ulong)_ranges[0].Frames;
        try
        {
            memory.Attach(this);
        }
        catch
        {
            ReleaseRanges(_ranges);
            throw;
        }

        _index = Register(this);
    }

    /// <summary>Gets the memory that the pages belong to.</summary>
    public PhysicalMemory Memory { get; }

    /// <summary>Allocates a page: zeroed, and aligned to its own size by physical address.</summary>
    /// <param name="sizeLog2">The size, log2 of bytes: 12 (4 KiB) to 30 (1 GiB).</param>
    /// <returns>The page. It is the caller's alone until it is linked.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sizeLog2"/> is out of range.</exception>
    /// <exception cref="OutOfMemoryException">
    /// There is no such page, or the limit is reached. Where the caller may wait, the pages that wait for a grace period were reclaimed first; inside a
    /// read-side section and in a reclaim callback they were not.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The allocator is disposed.</exception>
    [return: Unpublished]
    [MayHoldReadLock]
    public TablePage Allocate(int sizeLog2 = 12)
    {
        if (!TryAllocate(out TablePage page, sizeLog2))
        {
            ThrowOutOfMemory(sizeLog2);
        }

        return page;
    }

    /// <summary>Allocates a page, if there is one: zeroed, and aligned to its own size by physical address.</summary>
    /// <param name="page">The page. It is the caller's alone until it is linked.</param>
    /// <param name="sizeLog2">The size, log2 of bytes: 12 (4 KiB) to 30 (1 GiB).</param>
    /// <returns><see langword="false"/> if there is no such page, or the limit is reached; as with <see cref="Allocate"/>, the backlog was reclaimed first where that is possible.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="sizeLog2"/> is out of range.</exception>
    /// <exception cref="ObjectDisposedException">The allocator is disposed.</exception>
    [MayHoldReadLock]
    public bool TryAllocate([Unpublished(When = true)] out TablePage page, int sizeLog2 = 12)
    {
        int order = sizeLog2 - BuddyFrames.FrameLog2;
        if ((uint)order > BuddyFrames.MaxOrder)
        {
            ThrowBadSize(sizeLog2);
        }

        PageDescriptor* descriptor = Take(order);
        if (descriptor == null)
        {
            page = default;
            return false;
        }

        if (_poison)
        {
            CheckPoison(descriptor);
        }

        // Outside every lock. The frame is this thread's alone; the exchange that publishes the page orders these stores before it.
        NativeMemory.Clear(descriptor->Pointer, (nuint)1 << sizeLog2);
        Volatile.Write(ref descriptor->State, (int)TablePageState.Allocated);
        page = new TablePage(descriptor);
        return true;
    }

    /// <summary>Frees a page at once: one that was never published, or that was unlinked, flushed and waited for.</summary>
    /// <param name="page">The page; dead afterwards.</param>
    /// <exception cref="ArgumentException">The value is no page, or the page belongs to another allocator.</exception>
    /// <exception cref="InvalidOperationException">The page is free already, still linked, on a list, or retired (its callback will free it).</exception>
    [MayHoldReadLock]
    public void Free([Frees] TablePage page)
    {
        PageDescriptor* descriptor = page.Descriptor;
        if (!Owns(descriptor))
        {
            ThrowForeign(page);
        }

        int state = Volatile.Read(ref descriptor->State);
        if (!MayBeFreed(state) || descriptor->OnList != 0)
        {
            ThrowCannotFree(page);
        }

        FreeFrom(descriptor, state);
    }

    /// <summary>Frees all pages of a list at once: pages that were never published, or that were unlinked, flushed and waited for.</summary>
    /// <param name="pages">The list; empty afterwards. When an exception is thrown, it still has the page at fault, and those after it.</param>
    /// <exception cref="ArgumentException">A page belongs to another allocator.</exception>
    /// <exception cref="InvalidOperationException">A page is free already, still linked, or retired; or the list is a copy of one that was used up.</exception>
    [MayHoldReadLock]
    public void FreeList([Frees] ref PageList pages)
    {
        while (pages.Head != null)
        {
            PageDescriptor* descriptor = pages.Head;
            if (!Owns(descriptor))
            {
                ThrowForeign(new TablePage(descriptor));
            }

            int state = Volatile.Read(ref descriptor->State);
            if (!MayBeFreed(state) || descriptor->OnList == 0)
            {
                ThrowCannotFree(new TablePage(descriptor));
            }

            pages.TryTake(out _);
            FreeFrom(descriptor, state);
        }
    }

    /// <summary>Finds the page that begins at a physical address: the one that an entry of a table names.</summary>
    /// <param name="address">The address of the page's first byte.</param>
    /// <returns>The page.</returns>
    /// <exception cref="ArgumentException">No page of this allocator that is in use begins there.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TablePage GetPage(PhysicalAddress address)
    {
        ulong index = (address.Value >> BuddyFrames.FrameLog2) - _firstFrame;
        PageDescriptor* descriptor = index < _firstFrames ? _firstDescriptors + index : DescriptorInOtherRange(address);

        // The address is stale where the frame is free or inside a larger page, so the state decides before it is compared.
        if (descriptor == null || Volatile.Read(ref descriptor->State) == (int)TablePageState.Free || descriptor->Address != address.Value)
        {
            ThrowNoPage(address);
        }

        return new TablePage(descriptor);
    }

    /// <summary>Gives the descriptors back to the system. No page, and no handle, may be used afterwards.</summary>
    /// <remarks>Call <c>Rcu.Barrier()</c> first: pages that wait for a grace period are in use until their callbacks have run.</remarks>
    /// <exception cref="InvalidOperationException">Pages are in use, or wait for a grace period; nothing was disposed.</exception>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            ThrowIfInUse();
            _disposed = true;
            _firstFrames = 0;
            ReleaseCaches();
            ReleaseRanges(_ranges);
        }

        lock (_registryLock)
        {
            _registry[_index] = null;
        }

        Memory.Detach(this);
    }

    internal void ThrowIfInUse()
    {
        lock (_lock)
        {
            long live = _disposed ? 0 : LivePages;
            if (live != 0)
            {
                long retired = RetiredPages;
                throw new InvalidOperationException(
                    $"{live} {(live == 1 ? "page is" : "pages are")} in use, {retired} of them waiting for a grace period. Free them, and call Rcu.Barrier() before disposing.");
            }
        }
    }

    /// <summary>Refuses frames that another allocator of the same memory hands out already: each would give the other's pages away.</summary>
    internal void ThrowIfOverlaps(PageAllocator other)
    {
        foreach (FrameRange range in _ranges)
        {
            foreach (FrameRange taken in other._ranges)
            {
                if (range.Overlaps(taken))
                {
                    throw new ArgumentException(
                        $"The frames {range} overlap {taken}, which another allocator of this memory has: give each allocator Ranges of its own, or share one.",
                        "options");
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool MayBeFreed(int state)
        => state is (int)TablePageState.Allocated or (int)TablePageState.Unlinked or (int)TablePageState.Gathered;

    private static FrameRange[] CreateRanges(PhysicalMemory memory, IReadOnlyList<PhysicalRange> wanted)
    {
        for (int i = 0; i < wanted.Count; i++)
        {
            for (int j = 0; j < i; j++)
            {
                if (wanted[i].First <= wanted[j].Last && wanted[j].First <= wanted[i].Last)
                {
                    throw new ArgumentException($"The ranges {wanted[j]} and {wanted[i]} overlap.", "options");
                }
            }
        }

        var ranges = new List<FrameRange>();
        try
        {
            foreach (PhysicalRange range in wanted)
            {
                if (FrameRange.Create(memory, range) is { } frames)
                {
                    ranges.Add(frames);
                }
            }

            if (ranges.Count == 0)
            {
                throw new ArgumentException("No whole 4 KiB frame is left to allocate from (the one at physical address 0 is never used).", "options");
            }
        }
        catch
        {
            ReleaseRanges(ranges);
            throw;
        }

        return [.. ranges];
    }

    private static void ReleaseRanges(IEnumerable<FrameRange> ranges)
    {
        foreach (FrameRange range in ranges)
        {
            range.Release();
        }
    }

    // A callback is handed a descriptor alone; the index in it leads back to the allocator.
    private static int Register(PageAllocator allocator)
    {
        lock (_registryLock)
        {
            int index = Array.IndexOf(_registry, null);
            if (index < 0)
            {
                index = _registry.Length;
                PageAllocator?[] larger = new PageAllocator?[2 * index];
                _registry.CopyTo(larger, 0);
                Volatile.Write(ref _registry, larger);
            }

            Volatile.Write(ref _registry[index], allocator);
            return index;
        }
    }

    /// <summary>Says whether a page is one of this allocator's. False also once it is disposed.</summary>
    internal bool IsOwnerOf(TablePage page) => Owns(page.Descriptor);

    // By address of the descriptor, never through it: a handle of a disposed allocator points to freed memory.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Owns(PageDescriptor* descriptor)
        => (ulong)descriptor - (ulong)_firstDescriptors < _firstFrames * PageDescriptor.Size || OwnsInOtherRange(descriptor);

    private bool OwnsInOtherRange(PageDescriptor* descriptor)
    {
        foreach (FrameRange range in _ranges)
        {
            if (descriptor >= range.Descriptors && descriptor < range.Descriptors + range.Frames)
            {
                return !_disposed;
            }
        }

        return false;
    }

    private PageDescriptor* DescriptorInOtherRange(PhysicalAddress address)
    {
        foreach (FrameRange range in _ranges)
        {
            ulong index = (address.Value >> BuddyFrames.FrameLog2) - range.FirstFrame;
            if (index < (ulong)range.Frames && !_disposed)
            {
                return range.Descriptors + index;
            }
        }

        return null;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FreeFrom(PageDescriptor* descriptor, int state)
    {
        // The one exchange of a page's life: of two threads that free the same page at once, one gets the exception.
        if (Interlocked.CompareExchange(ref descriptor->State, (int)TablePageState.Free, state) != state)
        {
            ThrowCannotFree(new TablePage(descriptor));
        }

        GiveBack(descriptor);
    }

    private static void ThrowBadSize(int sizeLog2) => throw new ArgumentOutOfRangeException(
        nameof(sizeLog2), sizeLog2, $"A page has a size of 2^{MinSizeLog2} to 2^{MaxSizeLog2} bytes.");

    private void ThrowOutOfMemory(int sizeLog2) => throw new OutOfMemoryException(
        $"No page of {1UL << sizeLog2} bytes is left: {LiveBytes} bytes are in use, {PagesThat(RetiredPages, "wait")} for a grace period, "
        + (_limit == ulong.MaxValue ? "and there is no limit but the ranges." : $"and the limit is {_limit} bytes."));

    private static string PagesThat(long count, string verb) => count == 1 ? $"1 page {verb}s" : $"{count} pages {verb}";

    private static void ThrowNoPage(PhysicalAddress address)
        => throw new ArgumentException($"No page in use of this allocator begins at {address}.", nameof(address));

    private static void ThrowForeign(TablePage page)
        => throw new ArgumentException(page.IsNull ? "The value is no page." : "The page belongs to another allocator.", nameof(page));

    private static void ThrowCannotFree(TablePage page)
    {
        string reason = page.State switch
        {
            TablePageState.Free => "it is free already",
            TablePageState.Linked => "an entry still names it: unlink it and hand it to a gather",
            TablePageState.Retired => "it waits for a grace period, and is freed after that",
            _ when page.Descriptor->OnList != 0 => "it is on a list",
            _ => "the list is a copy of one that was used up",
        };
        throw new InvalidOperationException($"The page ({page}) cannot be freed: {reason}.");
    }
}
