// The gather: what was unmapped, until the IOTLB is flushed and its tables can be retired.
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

/// <summary>
/// Collects the ranges that were unmapped and the table pages that left the tree, so that one flush serves many calls:
/// unlink, gather, flush, retire, grace period, free.
/// </summary>
/// <remarks>
/// <para>A gather belongs to one thread. Its state lives once: when it was synced, or disposed, every copy of it throws when it is used.</para>
/// <para>A range that was unmapped with a gather must not be mapped again, nor its memory used for something else, before <see cref="Sync"/> returned:
/// until then devices may still reach it.</para>
/// <para>A gather that holds nothing flushes nothing. One that holds pages always has a range.</para>
/// </remarks>
[TableGather]
public ref struct IotlbGather
{
    private GatherState? _state;
    private readonly long _generation;

    /// <summary>Opens a gather for a domain.</summary>
    /// <param name="domain">The domain whose ranges are to be gathered.</param>
    /// <exception cref="ArgumentNullException">The domain is <see langword="null"/>.</exception>
    /// <exception cref="ObjectDisposedException">The domain is disposed.</exception>
    public IotlbGather(IommuDomain domain)
    {
        ArgumentNullException.ThrowIfNull(domain);
        domain.ThrowIfDisposed();
        _state = GatherState.Rent(domain);
        _generation = _state.Generation;
    }

    /// <summary>Gets whether nothing is gathered.</summary>
    /// <exception cref="InvalidOperationException">The gather is over, or was never opened.</exception>
    public readonly bool IsEmpty => Open().Data.IsEmpty;

    /// <summary>Gets the number of pages that wait for the flush.</summary>
    /// <exception cref="InvalidOperationException">The gather is over, or was never opened.</exception>
    public readonly int PageCount => Open().Data.Pages.Count;

    /// <summary>Unmaps a range of the gather's domain into the gather: <see cref="IommuDomain.Unmap(Iova, ulong, ref IotlbGather)"/>, for a <c>using</c> variable, which cannot be passed by reference.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <returns>How many bytes were mapped.</returns>
    /// <exception cref="ArgumentException">As <see cref="IommuDomain.Unmap(Iova, ulong, ref IotlbGather)"/>.</exception>
    /// <exception cref="InvalidOperationException">The gather is over, or was never opened.</exception>
    [MayHoldReadLock]
    public readonly ulong Unmap(Iova iova, ulong size)
    {
        GatherState state = Open();
        return state.Domain!.UnmapInto(iova, size, ref state.Data, null);
    }

    /// <summary>Unmaps a range of the gather's domain into the gather, and reports what was dirty.</summary>
    /// <param name="iova">The first address, aligned to the granule.</param>
    /// <param name="size">The size in bytes, a multiple of the granule.</param>
    /// <param name="dirty">Where dirty pages are marked.</param>
    /// <returns>How many bytes were mapped.</returns>
    /// <exception cref="ArgumentException">As <see cref="IommuDomain.Unmap(Iova, ulong, ref IotlbGather, DirtyBitmap)"/>.</exception>
    /// <exception cref="InvalidOperationException">The gather is over, or was never opened.</exception>
    [MayHoldReadLock]
    public readonly ulong Unmap(Iova iova, ulong size, DirtyBitmap dirty)
    {
        ArgumentNullException.ThrowIfNull(dirty);
        GatherState state = Open();
        return state.Domain!.UnmapInto(iova, size, ref state.Data, dirty);
    }

    /// <summary>Adds a range to what the flush invalidates.</summary>
    /// <param name="iova">The first address.</param>
    /// <param name="size">The size in bytes, above 0.</param>
    /// <exception cref="ArgumentException">The range is empty or passes 2^64.</exception>
    /// <exception cref="InvalidOperationException">The gather is over, or was never opened.</exception>
    public readonly void AddRange(Iova iova, ulong size)
    {
        ArgumentOutOfRangeException.ThrowIfZero(size);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size - 1, ulong.MaxValue - iova.Value, nameof(size));
        Open().Data.AddRange(iova, new Iova(iova.Value + (size - 1)));
    }

    /// <summary>Takes over a page that left a table: it is retired after the flush, and freed to the domain's allocator a grace period later.</summary>
    /// <param name="page">The page, on no list. The range that it served was added before.</param>
    /// <remarks>When an exception is thrown, the page and the gather are as they were.</remarks>
    /// <exception cref="ArgumentException">The value is no page, or a page of another allocator than the domain's.</exception>
    /// <exception cref="InvalidOperationException">
    /// The gather has no range, is over, or was never opened; or the page is free, still linked, gathered already, or on a list.
    /// </exception>
    public readonly void Add([Gathers] TablePage page)
    {
        GatherState state = Open();
        if (page.IsNull)
        {
            throw new ArgumentException("The value is no page.", nameof(page));
        }

        // Asked now, and not when the page is retired: there it would fail the flushes of everybody.
        if (!state.Domain!.PageAllocator.IsOwnerOf(page))
        {
            throw new ArgumentException("The page belongs to another allocator than the gather's domain.", nameof(page));
        }

        if (page.IsOnList)
        {
            throw new InvalidOperationException($"The page ({page}) is on a list already.");
        }

        if (state.Data.IsEmpty)
        {
            throw new InvalidOperationException("A page needs a range, or it would be retired without a flush: call AddRange first.");
        }

        // A caller's own page was never linked by the engine: to the caller it was, and is no more.
        if (page.State == TablePageState.Allocated)
        {
            page.MarkLinked();
            page.MarkUnlinked();
        }

        state.Data.Add(page);
    }

    /// <summary>
    /// Flushes what was gathered, drained, and then retires its pages; the gather is over. With nothing gathered, nothing is flushed.
    /// </summary>
    /// <remarks>When the flush fails, its exception is thrown and everything stays: call again, or dispose, which leaves it to the domain's next flush.</remarks>
    /// <exception cref="InvalidOperationException">The gather is over, or was never opened.</exception>
    [FlushesIotlb]
    [Retires]
    public void Sync()
    {
        GatherState state = Open();
        if (!state.Domain!.TryFlushNothing(ref state.Data))
        {
            state.FlushFailed = true;
            state.Domain.Flush(ref state.Data);
        }

        state.GiveBack();
        _state = null;
    }

    /// <summary>
    /// Syncs, unless that was done. When the flush fails, or did in <see cref="Sync"/>, what was gathered is left to the domain's next flush: nothing is thrown
    /// and nothing is lost, but devices may still reach the range (<see cref="IommuDomain.HasPendingFlush"/>). To be told, call <see cref="Sync"/>.
    /// </summary>
    [FlushesIotlb]
    [Retires]
    public void Dispose()
    {
        GatherState? state = _state;
        _state = null;
        if (state is null || state.Generation != _generation)
        {
            return;
        }

        try
        {
            if (state.FlushFailed)
            {
                state.Domain!.Defer(ref state.Data);
            }
            else
            {
                state.Domain!.FlushOrDefer(ref state.Data);
            }
        }
        finally
        {
            state.GiveBack();
        }
    }

    /// <summary>The gathered data, for a call on a domain.</summary>
    /// <exception cref="ArgumentException">The gather belongs to another domain.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly ref GatherData DataFor(IommuDomain domain)
    {
        GatherState state = Open();
        if (state.Domain != domain)
        {
            ThrowForeign();
        }

        return ref state.Data;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly GatherState Open()
    {
        GatherState? state = _state;
        if (state is null || state.Generation != _generation)
        {
            ThrowOver();
        }

        return state!;
    }

    private static void ThrowForeign() => throw new ArgumentException("The gather belongs to another domain.", "gather");

    private static void ThrowOver() => throw new InvalidOperationException("The gather was synced or disposed, or was never opened: open a new one.");
}
