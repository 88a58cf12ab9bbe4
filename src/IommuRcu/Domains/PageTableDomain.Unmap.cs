// Unmapping: the call itself, its fast path for one page, and the descent for ranges.
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    // Whether a page of the granule's size is the only kind that a table of level 0 can hold: then no entry of it is part of a larger page.
    private static bool HasNoRunsAtLevel0
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (TFormat.PageSizes & ((1UL << Shift(1)) - 1) & ~(1UL << TFormat.GranuleLog2)) == 0;
    }

    /// <inheritdoc/>
    [MayHoldReadLock]
    public override ulong Unmap(Iova iova, ulong size)
    {
        GatherData data = default;
        ulong unmapped = UnmapInto(iova, size, ref data, null);
        FlushStrictly(ref data);
        return unmapped;
    }

    /// <inheritdoc/>
    [MayHoldReadLock]
    internal override ulong UnmapInto(Iova iova, ulong size, ref GatherData data, DirtyBitmap? dirty)
    {
        ulong first = CheckGranules(iova, size);
        bool found;
        if (size == GranuleMask + 1
            ? TryUnmapLeaf(first, 0, dirty, out found)
            : TryUnmapLargePage(first, size, dirty, out found))
        {
            if (!found)
            {
                return 0;
            }

            data.AddRange(iova, new Iova(iova.Value + (size - 1)));
        }
        else
        {
            size = UnmapLinear(first, first + (size - 1), ref data, dirty);
        }

        // Outside the section: the reclaimer flushes what it unlinked.
        if (HasEnoughCandidates)
        {
            ReclaimCandidates();
        }

        return size;
    }

    // Only items of the level above the lowest: others are rare.
    private bool TryUnmapLargePage(ulong linear, ulong size, DirtyBitmap? dirty, out bool found)
    {
        found = false;
        return size == 1UL << Shift(1) && (linear & (size - 1)) == 0 && TryUnmapLeaf(linear, 1, dirty, out found);
    }

    /// <summary>Clears the entry of one page that has the size of an item of its table. False: something is unusual, and nothing was changed.</summary>
    /// <remarks>Nothing in the section can throw, and usually nothing is called: so it needs no finally, and everything stays in registers.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryUnmapLeaf(ulong linear, int leafLevel, DirtyBitmap? dirty, out bool found)
    {
        bool done = false;
        ulong harvested = 0;
        found = false;
#pragma warning disable IRCU031 // nothing in the section throws, and a finally would keep it out of registers
        RcuReadScope section = Rcu.ReadLock();
#pragma warning restore IRCU031
        Descent descent = Descend(linear, leafLevel);
        if (descent.Slot == null)
        {
            // A hole is no page. Anything else the other path looks at, and names a larger page.
            done = descent.IsBlocked && descent.Obstacle == 0;
        }
        else
        {
            ulong leaf = Volatile.Read(ref *descent.Slot);
            if (leaf == 0)
            {
                done = true;
            }
            else if (IsItem(leaf, leafLevel))
            {
                done = found = true;
                if (dirty is null)
                {
                    // A store: the mapping is this caller's to end, and what a device or a scanner does to the entry's bits at this moment is lost with it.
                    Volatile.Write(ref *descent.Slot, 0);
                }
                else
                {
                    harvested = Interlocked.Exchange(ref *descent.Slot, 0);
                }

                if (!_keepEmptyTables && descent.ParentSlot != null)
                {
                    // Two neighbours in the same cache line tell almost always that the table is in use.
                    ulong* table = descent.Table;
                    int index = (int)(linear >> Shift(leafLevel)) & (EntriesPerTable - 1);
                    if ((Volatile.Read(ref table[(index + 1) & (EntriesPerTable - 1)]) | Volatile.Read(ref table[(index - 1) & (EntriesPerTable - 1)])) == 0)
                    {
                        NoteIfEmpty(table, leafLevel, linear, index);
                    }
                }
            }
        }

        section.Dispose();
        if (dirty is not null && IsDirty(harvested))
        {
            dirty.Set(ToIova(linear), 1UL << Shift(leafLevel));
        }

        return done;
    }

    /// <summary>Says whether an entry is a page as large as an item of its table, and no part of a larger run.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsItem(ulong entry, int level)
    {
        if (level == 0)
        {
            return HasNoRunsAtLevel0 || TFormat.LeafSizeLog2(entry, 0) == TFormat.GranuleLog2;
        }

        return TFormat.IsLeaf(entry, level) && TFormat.LeafSizeLog2(entry, level) == Shift(level);
    }

    /// <summary>Unmaps a range that was checked for alignment and aperture.</summary>
    /// <exception cref="ArgumentException">The range begins or ends inside a larger page; nothing was changed.</exception>
    private ulong UnmapLinear(ulong first, ulong last, ref GatherData data, DirtyBitmap? dirty)
    {
        ulong unmapped;
        using (Rcu.ReadLock())
        {
            ulong top = Volatile.Read(ref _top);
            ThrowIfDisposed(top);
            int level = TopLevel(top);
            if (!Reaches(level, last))
            {
                if (!Reaches(level, first))
                {
                    return 0;
                }

                last = LastOfItem(0, level + 1);
            }

            ThrowIfInsidePage(first, first, last);
            ThrowIfInsidePage(last, first, last);
            unmapped = UnmapIn(TopTable(top), level, isRoot: true, first, last, ref data, dirty);
        }

        if (unmapped != 0)
        {
            data.AddRange(ToIova(first), ToIova(last));
        }

        return unmapped;
    }

    /// <summary>Unmaps the part of a range that a table holds. In a section.</summary>
    private ulong UnmapIn(ulong* table, int level, bool isRoot, ulong first, ulong last, ref GatherData data, DirtyBitmap? dirty)
    {
        int shift = Shift(level);
        ulong* slot = isRoot ? RootSlot(table, level, first) : Slot(table, level, first);
        if (level == 0)
        {
            int count = (int)((last - first) >> shift) + 1;
            int cleared = dirty is null ? EntryBlock.Clear(slot, count) : Harvest(slot, 0, first, count, dirty);
            return (ulong)cleared << shift;
        }

        ulong unmapped = 0;
        ulong at = first;
        while (true)
        {
            ulong end = Math.Min(LastOfItem(at, level), last);
            ulong entry = Volatile.Read(ref *slot);
            if (entry != 0)
            {
                unmapped += UnmapSlot(slot, entry, level, at, end, ref data, dirty);
            }

            if (end == last)
            {
                return unmapped;
            }

            at = end + 1;
            slot++;
        }
    }

    private ulong UnmapSlot(ulong* slot, ulong entry, int level, ulong first, ulong last, ref GatherData data, DirtyBitmap? dirty)
    {
        if (!TFormat.IsTable(entry, level))
        {
            return (ulong)(dirty is null ? EntryBlock.Clear(slot, 1) : Harvest(slot, level, first, 1, dirty)) << Shift(level);
        }

        if (last - first == LastOfItem(0, level))
        {
            // All that the table serves is this caller's. Only the reclaimer may reach for it as well: the exchange says whose it is.
            entry = Interlocked.Exchange(ref *slot, 0);
            if (entry == 0)
            {
                return 0;
            }

            data.AddRange(ToIova(first), ToIova(last));
            return CollectTable(entry, level - 1, first, ref data, dirty);
        }

        ulong* table = TableOf(entry);
        ulong unmapped = UnmapIn(table, level - 1, isRoot: false, first, last, ref data, dirty);
        if (!_keepEmptyTables)
        {
            NoteIfEmpty(table, level - 1, first, (int)((first >> Shift(level - 1)) & (ulong)(EntriesPerTable - 1)));
        }

        return unmapped;
    }

    /// <summary>
    /// Gathers a table that was unlinked, and all below it, and returns how many bytes it mapped. Its range was added to the gather. In a section.
    /// </summary>
    /// <remarks>Leaves stay as they are, so that a device that is still in the table goes on as it did until the flush; with a bitmap they are exchanged.</remarks>
    private ulong CollectTable(ulong link, int level, ulong linear, ref GatherData data, DirtyBitmap? dirty)
    {
        ulong* table = TableOf(link);
        ulong mapped = 0;
        if (level == 0)
        {
            int used = dirty is null ? EntryBlock.CountUsed(table, EntriesPerTable) : Harvest(table, 0, linear, EntriesPerTable, dirty);
            mapped = (ulong)used << Shift(0);
        }
        else
        {
            for (int i = 0; i < EntriesPerTable; i++)
            {
                ulong entry = Volatile.Read(ref table[i]);
                if (entry == 0)
                {
                    continue;
                }

                ulong at = linear + ((ulong)i << Shift(level));
                if (!TFormat.IsTable(entry, level))
                {
                    mapped += (ulong)(dirty is null ? 1 : Harvest(table + i, level, at, 1, dirty)) << Shift(level);
                    continue;
                }

                entry = Interlocked.Exchange(ref table[i], 0);
                if (entry != 0)
                {
                    mapped += CollectTable(entry, level - 1, at, ref data, dirty);
                }
            }
        }

        TablePage page = PageOf(link);
        page.MarkUnlinked();
        data.Add(page);
        return mapped;
    }

    /// <summary>Clears leaves by exchange, so that no dirty bit is lost that a device sets at this moment, and marks the dirty ones.</summary>
    private int Harvest(ulong* slots, int level, ulong linear, int count, DirtyBitmap dirty)
    {
        int cleared = 0;
        for (int i = 0; i < count; i++)
        {
            if (Volatile.Read(ref slots[i]) == 0)
            {
                continue;
            }

            cleared++;
            ulong entry = Interlocked.Exchange(ref slots[i], 0);
            if (IsDirty(entry))
            {
                // Any item of a contiguous run makes the whole run dirty.
                ulong page = (1UL << TFormat.LeafSizeLog2(entry, level)) - 1;
                dirty.Set(ToIova((linear + ((ulong)i << Shift(level))) & ~page), page + 1);
            }
        }

        return cleared;
    }

    /// <summary>Throws when an address that begins or ends a range stands inside a page that reaches out of the range. In a section.</summary>
    private void ThrowIfInsidePage(ulong linear, ulong first, ulong last)
    {
        if (TryFindPage(linear, out ulong page, out int sizeLog2) && (page < first || LastOfPage(page, sizeLog2) > last))
        {
            throw new ArgumentException(
                $"The range {ToIova(first)}-{ToIova(last)} cuts the page of 0x{1UL << sizeLog2:x} bytes at IOVA {ToIova(page)}: unmap the whole page, or split it first.",
                "iova");
        }
    }

    private static ulong LastOfPage(ulong page, int sizeLog2) => page + ((1UL << sizeLog2) - 1);

    /// <summary>Finds the page that holds an address. In a section.</summary>
    private bool TryFindPage(ulong linear, out ulong page, out int sizeLog2)
    {
        ulong top = Volatile.Read(ref _top);
        int level = TopLevel(top);
        ulong* slot = RootSlot(TopTable(top), level, linear);
        while (true)
        {
            ulong entry = Volatile.Read(ref *slot);
            if (level > 0 && TFormat.IsTable(entry, level))
            {
                level--;
                slot = Slot(TableOf(entry), level, linear);
                continue;
            }

            sizeLog2 = TFormat.IsLeaf(entry, level) ? TFormat.LeafSizeLog2(entry, level) : 0;
            page = linear & ~((1UL << sizeLog2) - 1);
            return sizeLog2 != 0;
        }
    }
}
