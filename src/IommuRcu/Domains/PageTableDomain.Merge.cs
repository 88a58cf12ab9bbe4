// Merging pages into a larger one while devices use them.
using System.Numerics;
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <summary>What the pages of a range have in common, as far as they were looked at.</summary>
    private struct Uniform
    {
        internal ulong Offset;
        internal IommuAccess Access;
        internal bool IsKnown;
        internal int MostSizeLog2;
    }

    /// <inheritdoc/>
    [MayHoldReadLock]
    public override bool TryMerge(Iova iova, ulong size)
    {
        ulong first = CheckGranules(iova, size);
        CheckPageSize(size, nameof(size));
        if ((first & (size - 1)) != 0)
        {
            throw new ArgumentException($"IOVA {iova} is not aligned to 0x{size:x} bytes.", nameof(iova));
        }

        ThrowIfBreaking();
        int sizeLog2 = BitOperations.Log2(size);
        int level = LevelOf(sizeLog2);
        int items = 1 << (sizeLog2 - Shift(level));
        GatherData data = default;
        ulong* slots;
        ulong* tables = stackalloc ulong[items];
        using (Rcu.ReadLock())
        {
            if (!TryFindSlots(first, level, out slots))
            {
                return false;
            }

            Uniform uniform = default;
            uniform.MostSizeLog2 = sizeLog2;
            if (!IsUniform(slots, level, items, first, ref uniform) || ((first + uniform.Offset) & (size - 1)) != 0)
            {
                return false;
            }

            bool any = false;
            for (int i = 0; i < items; i++)
            {
                ulong at = first + ((ulong)i << Shift(level));
                tables[i] = MergeItem(slots + i, level, sizeLog2, at, at + uniform.Offset, uniform.Access);
                any |= tables[i] != 0;
            }

            data.AddRange(iova, ToIova(LastOfPage(first, sizeLog2)));
            data.TablesFreed = any;
        }

        // The tables are unlinked and this caller's, so they need no section. Until this flush a device may set dirty bits in them.
        bool flushed = false;
        try
        {
            Invalidator?.Invalidate(data.Range, data.TablesFreed);
            flushed = true;
        }
        finally
        {
            using (Rcu.ReadLock())
            {
                CollectMerged(slots, level, items, first, tables, makeDirty: !flushed, ref data);
            }

            if (!flushed)
            {
                Defer(ref data);
            }
        }

        RetireFlushed(ref data);
        return true;
    }

    /// <summary>Finds the entries of a level at an address. False: there is no table there. In a section.</summary>
    private bool TryFindSlots(ulong linear, int tableLevel, out ulong* slots)
    {
        ulong top = Volatile.Read(ref _top);
        ThrowIfDisposed(top);
        int level = TopLevel(top);
        slots = null;
        if (level < tableLevel || !Reaches(level, linear))
        {
            return false;
        }

        slots = RootSlot(TopTable(top), level, linear);
        while (level > tableLevel)
        {
            ulong entry = Volatile.Read(ref *slots);
            if (!TFormat.IsTable(entry, level))
            {
                return false;
            }

            level--;
            slots = Slot(TableOf(entry), level, linear);
        }

        return true;
    }

    /// <summary>Says whether entries map contiguous memory with one access, and nothing is missing.</summary>
    private bool IsUniform(ulong* slots, int level, int count, ulong linear, ref Uniform uniform)
    {
        for (int i = 0; i < count; i++)
        {
            ulong entry = Volatile.Read(ref slots[i]);
            ulong at = linear + ((ulong)i << Shift(level));
            if (level > 0 && TFormat.IsTable(entry, level))
            {
                if (!IsUniform(TableOf(entry), level - 1, EntriesPerTable, at, ref uniform))
                {
                    return false;
                }

                continue;
            }

            // An item of a larger run belongs to a page that reaches out of the range: it is larger already.
            if (!TFormat.IsLeaf(entry, level) || TFormat.LeafSizeLog2(entry, level) > uniform.MostSizeLog2)
            {
                return false;
            }

            ulong page = (1UL << TFormat.LeafSizeLog2(entry, level)) - 1;
            ulong offset = ((TFormat.LeafAddress(entry) & ~page) | (at & page)) - at;
            IommuAccess access = TFormat.Access(entry, level);
            if (uniform.IsKnown && (uniform.Offset != offset || uniform.Access != access))
            {
                return false;
            }

            uniform.Offset = offset;
            uniform.Access = access;
            uniform.IsKnown = true;
        }

        return true;
    }

    /// <summary>Makes one entry an item of the merged page, and returns the link of the table that stood there, or 0.</summary>
    private ulong MergeItem(ulong* slot, int level, int sizeLog2, ulong linear, ulong address, IommuAccess access)
    {
        ulong entry = Volatile.Read(ref *slot);
        if (level == 0 || !TFormat.IsTable(entry, level))
        {
            if (TFormat.LeafSizeLog2(entry, level) != sizeLog2)
            {
                // Dirty state stays where it is: any item of a run makes the run dirty.
                ResizeItem(slot, entry, level, sizeLog2, linear, makeDirty: false);
            }

            return 0;
        }

        ulong holds = ~((1UL << (TFormat.RunsAreIdentical ? sizeLog2 : Shift(level))) - 1);
        ulong fresh = TFormat.LeafAttributes(level, sizeLog2, access) | TFormat.AddressField(address & holds);
        (bool isDirty, bool isAccessed) = StateBelow(TableOf(entry), level - 1);
        ulong leaf = (fresh & ~TFormat.AccessedMask) | (isAccessed ? TFormat.AccessedMask : 0);
        leaf = isDirty ? TFormat.WithDirty(leaf) : IsDirty(leaf) ? TFormat.WithoutDirty(leaf) : leaf;

        // Hardware may set the accessed bit of the link, and the reclaimer's mark may come and go: the table is in use, so it stays what it is.
        while (true)
        {
            ulong found = Interlocked.CompareExchange(ref *slot, leaf, entry);
            if (found == entry)
            {
                return entry;
            }

            entry = found;
        }
    }

    private (bool IsDirty, bool IsAccessed) StateBelow(ulong* table, int level)
    {
        bool isDirty = false;
        bool isAccessed = false;
        for (int i = 0; i < EntriesPerTable; i++)
        {
            ulong entry = Volatile.Read(ref table[i]);
            if (level > 0 && TFormat.IsTable(entry, level))
            {
                (bool dirtyBelow, bool accessedBelow) = StateBelow(TableOf(entry), level - 1);
                isDirty |= dirtyBelow;
                isAccessed |= accessedBelow;
                continue;
            }

            isDirty |= IsDirty(entry);
            isAccessed |= (entry & TFormat.AccessedMask) != 0;
        }

        return (isDirty, isAccessed);
    }

    /// <summary>
    /// After the flush: reads the dirty state of the tables that were replaced once more, because a device that still had them may have set it, and gathers them.
    /// </summary>
    private void CollectMerged(ulong* slots, int level, int items, ulong linear, ulong* tables, bool makeDirty, ref GatherData data)
    {
        for (int i = 0; i < items; i++)
        {
            if (tables[i] != 0)
            {
                if (makeDirty || StateBelow(TableOf(tables[i]), level - 1).IsDirty)
                {
                    SetDirtyBelow(slots + i, level);
                }

                CollectTable(tables[i], level - 1, linear + ((ulong)i << Shift(level)), ref data, null);
            }
        }
    }
}
