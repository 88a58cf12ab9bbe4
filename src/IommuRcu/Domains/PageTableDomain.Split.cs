// Splitting pages into smaller ones while devices use them.
using System.Numerics;
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <inheritdoc/>
    [MayHoldReadLock]
    internal override int SplitInto(Iova iova, ulong size, ulong pageSize, ref GatherData data)
    {
        ulong first = CheckGranules(iova, size);
        ulong last = first + (size - 1);
        CheckPageSize(pageSize, nameof(pageSize));
        ThrowIfBreaking();
        int sizeLog2 = BitOperations.Log2(pageSize);
        int split = 0;
        PageList spare = default;
        try
        {
            ulong linear = first;
            while (true)
            {
                ulong next;
                int missing;
                using (Rcu.ReadLock())
                {
                    ThrowIfDisposed();
                    missing = SplitNext(linear, last, sizeLog2, ref spare, ref data, out next, ref split);
                }

                if (missing == 0)
                {
                    if (next >= last)
                    {
                        return split;
                    }

                    linear = next + 1;
                    continue;
                }

                // Outside the section that is opened here, as in Map.
                while (spare.Count < missing)
                {
                    spare.Add(PageAllocator.Allocate(TFormat.GranuleLog2));
                }
            }
        }
        finally
        {
            PageAllocator.FreeList(ref spare);
        }
    }

    private void CheckPageSize(ulong pageSize, string name)
    {
        if (!BitOperations.IsPow2(pageSize) || (_pageSizes & pageSize) == 0)
        {
            throw new ArgumentException($"{TFormat.Name} has no pages of 0x{pageSize:x} bytes here.", name);
        }
    }

    private void ThrowIfBreaking()
    {
        if (TFormat.NeedsBreakBeforeMake && !Options.ReplacesWithoutBreak)
        {
            throw new NotSupportedException(
                $"{TFormat.Name} needs an invalid entry between a page and a table in its place, which would fault: say that the hardware does not (ReplacesWithoutBreak).");
        }
    }

    /// <summary>Splits the page at an address, if there is one that is larger; returns how many spare tables that takes where there are too few. In a section.</summary>
    private int SplitNext(ulong linear, ulong last, int toSizeLog2, ref PageList spare, ref GatherData data, out ulong next, ref int split)
    {
        ulong top = Volatile.Read(ref _top);
        int level = TopLevel(top);
        next = last;
        if (!Reaches(level, linear))
        {
            return 0;
        }

        ulong* slot = RootSlot(TopTable(top), level, linear);
        ulong entry = Volatile.Read(ref *slot);
        while (level > 0 && TFormat.IsTable(entry, level))
        {
            level--;
            slot = Slot(TableOf(entry), level, linear);
            entry = Volatile.Read(ref *slot);
        }

        next = LastOfItem(linear, level);
        if (!TFormat.IsLeaf(entry, level))
        {
            return 0;
        }

        int sizeLog2 = TFormat.LeafSizeLog2(entry, level);
        ulong page = linear & ~((1UL << sizeLog2) - 1);
        next = LastOfPage(page, sizeLog2);
        if (sizeLog2 <= toSizeLog2)
        {
            return 0;
        }

        int toLevel = LevelOf(toSizeLog2);
        int items = 1 << (sizeLog2 - Shift(level));
        ulong* slots = slot - ((linear - page) >> Shift(level));
        int needed = toLevel == level ? 0 : items * TablesBelow(level, toLevel);
        if (spare.Count < needed)
        {
            return needed;
        }

        SplitPage(slots, level, items, page, toLevel, toSizeLog2, ref spare);
        data.AddRange(ToIova(page), ToIova(next));
        split++;
        return 0;
    }

    /// <summary>How many tables it takes to split an item of one level into items of another.</summary>
    private static int TablesBelow(int level, int toLevel)
    {
        int tables = 0;
        for (int i = level - 1; i >= toLevel; i--)
        {
            tables = (tables * EntriesPerTable) + 1;
        }

        return tables;
    }

    private void SplitPage(ulong* slots, int level, int items, ulong page, int toLevel, int toSizeLog2, ref PageList spare)
    {
        bool wasDirty = false;
        for (int i = 0; i < items; i++)
        {
            wasDirty |= IsDirty(Volatile.Read(ref slots[i]));
        }

        bool isDirty = wasDirty;
        for (int i = 0; i < items; i++)
        {
            ulong at = page + ((ulong)i << Shift(level));
            ulong entry = Volatile.Read(ref slots[i]);
            isDirty |= toLevel == level
                ? ResizeItem(slots + i, entry, level, toSizeLog2, at, isDirty)
                : SplitItem(slots + i, entry, level, at, toLevel, toSizeLog2, isDirty, ref spare);
        }

        // An item of the run became dirty after parts before it were made clean.
        if (isDirty && !wasDirty)
        {
            for (int i = 0; i < items; i++)
            {
                SetDirtyBelow(slots + i, level);
            }
        }
    }

    /// <summary>Replaces an item of a run by one of another size of the same level. Every entry decides for itself, so a mixed run is right as well.</summary>
    /// <returns>Whether the item was dirty.</returns>
    private static bool ResizeItem(ulong* slot, ulong entry, int level, int toSizeLog2, ulong linear, bool makeDirty)
    {
        while (true)
        {
            ulong changed = Reencode(entry, level, TFormat.LeafSizeLog2(entry, level), level, TFormat.Access(entry, level), linear, toSizeLog2);
            ulong found = Interlocked.CompareExchange(ref *slot, makeDirty ? TFormat.WithDirty(changed) : changed, entry);
            if (found == entry)
            {
                return IsDirty(entry);
            }

            entry = found;
        }
    }

    /// <summary>Replaces a leaf by a table that maps the same memory by smaller pages. The slot is never empty, so its table is not reclaimed.</summary>
    /// <returns>Whether the leaf was dirty when it was replaced.</returns>
    private bool SplitItem(ulong* slot, ulong entry, int level, ulong linear, int toLevel, int toSizeLog2, bool makeDirty, ref PageList spare)
    {
        spare.TryTake(out TablePage page);
        ulong link = TFormat.TableEntry(page.Address.Value, level);
        FillSplit((ulong*)page.Pointer, level - 1, entry, level, linear, toLevel, toSizeLog2, makeDirty, ref spare);
        page.MarkLinked();
        while (true)
        {
            // Publishes the table and all below it. It fails when hardware set a bit, or a scanner cleaned one: the parts follow, and it is tried again.
            ulong found = Interlocked.CompareExchange(ref *slot, link, entry);
            if (found == entry)
            {
                return IsDirty(entry);
            }

            if (IsDirty(found) && !IsDirty(entry) && !makeDirty)
            {
                SetDirtyIn((ulong*)page.Pointer, level - 1);
            }

            entry = found;
        }
    }

    // The table is private until its parent's entry is exchanged.
    private void FillSplit(ulong* table, int level, ulong entry, int fromLevel, ulong linear, int toLevel, int toSizeLog2, bool makeDirty, ref PageList spare)
    {
        for (int i = 0; i < EntriesPerTable; i++)
        {
            ulong at = linear + ((ulong)i << Shift(level));
            if (level == toLevel)
            {
                ulong leaf = Reencode(entry, fromLevel, TFormat.LeafSizeLog2(entry, fromLevel), toLevel, TFormat.Access(entry, fromLevel), at, toSizeLog2);
                Volatile.Write(ref table[i], makeDirty ? TFormat.WithDirty(leaf) : leaf);
            }
            else
            {
                spare.TryTake(out TablePage page);
                FillSplit((ulong*)page.Pointer, level - 1, entry, fromLevel, at, toLevel, toSizeLog2, makeDirty, ref spare);
                page.MarkLinked();
                Volatile.Write(ref table[i], TFormat.TableEntry(page.Address.Value, level));
            }
        }
    }

    private void SetDirtyIn(ulong* table, int level)
    {
        for (int i = 0; i < EntriesPerTable; i++)
        {
            SetDirtyBelow(table + i, level);
        }
    }

    private void SetDirtyBelow(ulong* slot, int level)
    {
        ulong entry = Volatile.Read(ref *slot);
        if (level > 0 && TFormat.IsTable(entry, level))
        {
            SetDirtyIn(TableOf(entry), level - 1);
            return;
        }

        while (TFormat.IsLeaf(entry, level) && !IsDirty(entry))
        {
            ulong found = Interlocked.CompareExchange(ref *slot, TFormat.WithDirty(entry), entry);
            if (found == entry)
            {
                return;
            }

            entry = found;
        }
    }
}
