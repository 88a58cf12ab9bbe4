// Reading dirty and accessed state: scan whole tables by vectors, clean by compare-exchange, in bounded sections.
using System.Numerics;
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    // How many tables one section visits: some ten microseconds where nothing is dirty, some hundred where all is.
    private const int TablesPerSection = 64;

    // Whether the format has page sizes between those of its levels.
    private static readonly bool _hasRuns = Enumerable.Range(0, MaxLevels).Select(Shift)
        .Where(shift => shift < 64).Aggregate(TFormat.PageSizes, (sizes, shift) => sizes & ~(1UL << shift)) != 0;

    /// <summary>A state that hardware sets in leaves: where it stands in an entry, and how it is taken off.</summary>
    private interface ILeafState
    {
        static abstract ulong Mask { get; }

        static abstract ulong Value { get; }

        static abstract ulong Without(ulong entry);
    }

    private readonly struct DirtyState : ILeafState
    {
        public static ulong Mask => TFormat.DirtyMask;

        public static ulong Value => TFormat.DirtyValue;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Without(ulong entry) => TFormat.WithoutDirty(entry);
    }

    private readonly struct AccessedState : ILeafState
    {
        public static ulong Mask => TFormat.AccessedMask;

        public static ulong Value => TFormat.AccessedMask;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static ulong Without(ulong entry) => entry & ~TFormat.AccessedMask;
    }

    /// <inheritdoc/>
    [MayHoldReadLock]
    internal override void ReadDirtyInto(Iova iova, ulong size, DirtyBitmap bitmap, DirtyReadMode mode, ref GatherData data)
        => ReadStateInto<DirtyState>(iova, size, bitmap, mode, ref data);

    /// <inheritdoc/>
    [MayHoldReadLock]
    internal override void ReadAccessedInto(Iova iova, ulong size, DirtyBitmap bitmap, DirtyReadMode mode, ref GatherData data)
        => ReadStateInto<AccessedState>(iova, size, bitmap, mode, ref data);

    private void ReadStateInto<TState>(Iova iova, ulong size, DirtyBitmap bitmap, DirtyReadMode mode, ref GatherData data)
        where TState : struct, ILeafState
    {
        ArgumentNullException.ThrowIfNull(bitmap);
        ulong first = CheckBytes(iova, size);
        if (mode is not (DirtyReadMode.ReadAndClear or DirtyReadMode.Peek))
        {
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "The mode is not valid.");
        }

        ThrowIfDisposed();
        if (TState.Mask == 0)
        {
            throw new NotSupportedException($"{TFormat.Name} does not keep this state.");
        }

        // Clipped to the bitmap: what it cannot hold stays dirty.
        ulong lastByte = Math.Min(iova.Value + (size - 1), bitmap.Last);
        ulong firstByte = Math.Max(iova.Value, bitmap.Start.Value);
        if (firstByte > lastByte)
        {
            return;
        }

        ulong cleanFirst = first + (firstByte - iova.Value);
        ulong cleanLast = first + (lastByte - iova.Value);

        // Where the range cuts a contiguous run, the item that says that the run is dirty may lie outside.
        var scan = new DirtyScan(
            bitmap, mode == DirtyReadMode.ReadAndClear, cleanFirst, cleanLast, cleanFirst & ~RunMaskAt(cleanFirst), cleanLast | RunMaskAt(cleanLast));
        try
        {
            ulong linear = scan.First;
            bool more = true;
            while (more)
            {
                // Closed and opened again every so many tables: no grace period waits for the whole of a large domain.
                using (Rcu.ReadLock())
                {
                    for (int i = 0; more && i < TablesPerSection; i++)
                    {
                        more = ScanTable<TState>(ref scan, ref linear);
                    }
                }
            }
        }
        finally
        {
            // Whatever ended the scan: what was cleaned is flushed.
            if (scan.HasCleaned)
            {
                data.AddRange(ToIova(scan.FirstCleaned), ToIova(scan.LastCleaned));
            }
        }
    }

    /// <summary>One pass over a range: what it looks for, and what it cleaned.</summary>
    private ref struct DirtyScan(DirtyBitmap bitmap, bool clear, ulong cleanFirst, ulong cleanLast, ulong first, ulong last)
    {
        internal readonly DirtyBitmap Bitmap = bitmap;
        internal readonly bool HasTableGranule = bitmap.GranuleLog2 == TFormat.GranuleLog2 && (bitmap.Start.Value & GranuleMask) == 0;
        internal readonly bool Clear = clear;
        internal readonly ulong CleanFirst = cleanFirst;
        internal readonly ulong CleanLast = cleanLast;
        internal readonly ulong First = first;
        internal readonly ulong Last = last;
        internal ulong FirstCleaned;
        internal ulong LastCleaned;
        internal bool HasCleaned;

        internal void NoteCleaned(ulong from, ulong to)
        {
            FirstCleaned = HasCleaned ? Math.Min(FirstCleaned, from) : from;
            LastCleaned = HasCleaned ? Math.Max(LastCleaned, to) : to;
            HasCleaned = true;
        }
    }

    /// <summary>Returns the offset bits of the contiguous run that is mapped at an address; 0 where there is none.</summary>
    [MayHoldReadLock]
    private ulong RunMaskAt(ulong linear)
    {
        if (!_hasRuns)
        {
            return 0;
        }

        using (Rcu.ReadLock())
        {
            ulong top = Volatile.Read(ref _top);
            ThrowIfDisposed(top);
            int level = TopLevel(top);
            if (!Reaches(level, linear))
            {
                return 0;
            }

            ulong entry = Volatile.Read(ref *RootSlot(TopTable(top), level, linear));
            while (level > 0 && TFormat.IsTable(entry, level))
            {
                level--;
                entry = Volatile.Read(ref *Slot(TableOf(entry), level, linear));
            }

            int sizeLog2 = TFormat.IsLeaf(entry, level) ? TFormat.LeafSizeLog2(entry, level) : 0;
            return sizeLog2 > Shift(level) ? (1UL << sizeLog2) - 1 : 0;
        }
    }

    /// <summary>Scans the lowest table at an address from there on, and moves the address behind it. False at the end of the range. In a section.</summary>
    private bool ScanTable<TState>(ref DirtyScan scan, ref ulong linear)
        where TState : struct, ILeafState
    {
        ulong top = Volatile.Read(ref _top);
        ThrowIfDisposed(top);
        int level = TopLevel(top);
        if (!Reaches(level, linear))
        {
            return false;
        }

        ulong* slot = RootSlot(TopTable(top), level, linear);
        ulong entry = Volatile.Read(ref *slot);
        bool isRoot = true;
        while (level > 0 && TFormat.IsTable(entry, level))
        {
            isRoot = false;
            level--;
            slot = Slot(TableOf(entry), level, linear);
            entry = Volatile.Read(ref *slot);
        }

        ulong tableLast = isRoot ? ulong.MaxValue : LastOfItem(linear, level + 1);
        ulong last = Math.Min(tableLast, scan.Last);
        if (level == 0)
        {
            ScanLeaves<TState>(ref scan, slot, linear & ~GranuleMask, (int)((last >> TFormat.GranuleLog2) - (linear >> TFormat.GranuleLog2)) + 1);
            linear = last;
        }
        else
        {
            // Large pages and holes, until an entry leads down.
            while (true)
            {
                if (Has<TState>(entry) && TFormat.IsLeaf(entry, level))
                {
                    TakeDirty<TState>(ref scan, slot, entry, level, linear);
                }

                linear = Math.Min(LastOfItem(linear, level), last);
                if (linear == last)
                {
                    break;
                }

                entry = Volatile.Read(ref slot[1]);
                if (TFormat.IsTable(entry, level))
                {
                    break;
                }

                linear++;
                slot++;
            }
        }

        if (linear == scan.Last)
        {
            return false;
        }

        linear++;
        return true;
    }

    private void ScanLeaves<TState>(ref DirtyScan scan, ulong* slots, ulong linear, int count)
        where TState : struct, ILeafState
    {
        int i = 0;
        for (; i < count && ((nuint)(slots + i) & (EntryBlock.Line - 1)) != 0; i++)
        {
            TakeDirty<TState>(ref scan, slots + i, Volatile.Read(ref slots[i]), 0, linear + ((ulong)i << TFormat.GranuleLog2));
        }

        for (; i + 64 <= count; i += 64)
        {
            // The vectors only find candidates: each is read again, and decided by one 64-bit load.
            ulong dirty = EntryBlock.Matches64(slots + i, TState.Mask, TState.Value);
            if (dirty != 0)
            {
                TakeDirtyLeaves<TState>(ref scan, slots + i, linear + ((ulong)i << TFormat.GranuleLog2), dirty);
            }
        }

        for (; i < count; i++)
        {
            ulong entry = Volatile.Read(ref slots[i]);
            if (Has<TState>(entry))
            {
                TakeDirty<TState>(ref scan, slots + i, entry, 0, linear + ((ulong)i << TFormat.GranuleLog2));
            }
        }
    }

    /// <summary>Marks, and cleans where asked, those of 64 leaves that have the state: one update of the bitmap for all where its granule is the table's.</summary>
    private void TakeDirtyLeaves<TState>(ref DirtyScan scan, ulong* slots, ulong linear, ulong dirty)
        where TState : struct, ILeafState
    {
        bool together = scan.HasTableGranule && linear >= scan.CleanFirst && scan.CleanLast - linear >= (64UL << TFormat.GranuleLog2) - 1;
        ulong taken = 0;
        while (dirty != 0)
        {
            int i = BitOperations.TrailingZeroCount(dirty);
            dirty &= dirty - 1;
            ulong entry = Volatile.Read(ref slots[i]);

            // A page of its own, and no change between the two reads: the common case. All else goes the long way.
            if (together
                && Has<TState>(entry)
                && (HasNoRunsAtLevel0 || TFormat.LeafSizeLog2(entry, 0) == TFormat.GranuleLog2)
                && (!scan.Clear || Interlocked.CompareExchange(ref slots[i], TState.Without(entry), entry) == entry))
            {
                taken |= 1UL << i;
            }
            else
            {
                TakeDirty<TState>(ref scan, slots + i, Volatile.Read(ref slots[i]), 0, linear + ((ulong)i << TFormat.GranuleLog2));
            }
        }

        if (taken != 0)
        {
            scan.Bitmap.SetGranules(ToIova(linear), taken);
            if (scan.Clear)
            {
                ulong first = linear + ((ulong)BitOperations.TrailingZeroCount(taken) << TFormat.GranuleLog2);
                ulong last = linear + ((ulong)(63 - BitOperations.LeadingZeroCount(taken)) << TFormat.GranuleLog2);
                scan.NoteCleaned(first, last + GranuleMask);
            }
        }
    }

    /// <summary>Marks a page in the bitmap if it has the state, and cleans it if the page lies within the scan.</summary>
    private void TakeDirty<TState>(ref DirtyScan scan, ulong* slot, ulong entry, int level, ulong linear)
        where TState : struct, ILeafState
    {
        while (Has<TState>(entry) && TFormat.IsLeaf(entry, level))
        {
            int sizeLog2 = TFormat.LeafSizeLog2(entry, level);
            ulong page = linear & ~((1UL << sizeLog2) - 1);
            ulong last = LastOfPage(page, sizeLog2);
            if (scan.Clear && page >= scan.CleanFirst && last <= scan.CleanLast)
            {
                // Against the entry that was read: where an unmap, a protect or a device came in between, this changes nothing and the entry is read again.
                // A store would write the old translation back.
                ulong found = Interlocked.CompareExchange(ref *slot, TState.Without(entry), entry);
                if (found != entry)
                {
                    entry = found;
                    continue;
                }

                scan.NoteCleaned(page, last);
            }

            ulong from = Math.Max(page, scan.CleanFirst);
            scan.Bitmap.Set(ToIova(from), Math.Min(last, scan.CleanLast) - from + 1);
            return;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Has<TState>(ulong entry)
        where TState : struct, ILeafState => (entry & TState.Mask) == TState.Value;
}
