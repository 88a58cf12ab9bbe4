// Walking the mapped pages of a range, a few at a time.
using IommuRcu.Annotations;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <inheritdoc/>
    [RequiresReadLock(DomainType = typeof(Rcu))]
    public override PageTableWalk Walk(Iova iova, ulong size)
    {
        ThrowIfDisposed();
        ulong first = CheckBytes(iova, size);
        Rcu.AssertReadLockHeld();
        return new PageTableWalk(this, first, first + (size - 1), iova, new Iova(iova.Value + (size - 1)));
    }

    /// <inheritdoc/>
    [RequiresReadLock(DomainType = typeof(Rcu))]
    internal override void WalkNext(ref PageTableWalk walk)
    {
        Rcu.AssertReadLockHeld();
        ulong linear = walk.Next;
        while (walk.Count < PageTableWalk.BufferSize && walk.DescentsLeft-- > 0)
        {
            ulong top = Volatile.Read(ref _top);
            ThrowIfDisposed(top);
            int level = TopLevel(top);
            if (!Reaches(level, linear))
            {
                walk.AtEnd = true;
                return;
            }

            ulong* table = TopTable(top);
            ulong* slot = RootSlot(table, level, linear);
            ulong* end = table + (TFormat.GrowsFromLevels != 0 ? EntriesPerTable : (long)(_lastLinear >> Shift(level)) + 1);
            ulong entry = Volatile.Read(ref *slot);
            while (level > 0 && TFormat.IsTable(entry, level))
            {
                table = TableOf(entry);
                level--;
                slot = Slot(table, level, linear);
                end = table + EntriesPerTable;
                entry = Volatile.Read(ref *slot);
            }

            // On through this table, until an entry leads down again.
            while (true)
            {
                ulong next = LastOfItem(linear, level);
                if (TFormat.IsLeaf(entry, level))
                {
                    next = AddLeaf(ref walk, slot, entry, level, linear);
                }

                if (next >= walk.Last)
                {
                    walk.AtEnd = true;
                    return;
                }

                linear = next + 1;
                walk.Next = linear;
                if (walk.Count == PageTableWalk.BufferSize)
                {
                    return;
                }

                slot = Slot(table, level, linear);
                if (slot == table || slot >= end || level == TopLevel(top))
                {
                    break;
                }

                entry = Volatile.Read(ref *slot);
                if (level > 0 && TFormat.IsTable(entry, level))
                {
                    break;
                }
            }
        }
    }

    /// <summary>Adds a page to the walk's buffer and returns its last address.</summary>
    private ulong AddLeaf(ref PageTableWalk walk, ulong* slot, ulong entry, int level, ulong linear)
    {
        int sizeLog2 = TFormat.LeafSizeLog2(entry, level);
        ulong mask = (1UL << sizeLog2) - 1;
        ulong raw = entry;
        bool isDirty = IsDirty(entry);
        bool isAccessed = (entry & TFormat.AccessedMask) != 0;
        int itemsLog2 = sizeLog2 - Shift(level);
        if (itemsLog2 > 0)
        {
            // The run is naturally aligned in its table, and so are its items. The entry that was read says what is mapped. Others may belong to another mapping by
            // now: only those that say the same add what they know.
            ulong* items = (ulong*)((nuint)slot & ~(((nuint)8 << itemsLog2) - 1));
            for (int i = 0; i < 1 << itemsLog2; i++)
            {
                ulong item = Volatile.Read(ref items[i]);
                if (IsOfSameRun(item, entry, level, mask))
                {
                    raw = i == 0 ? item : raw;
                    isDirty |= IsDirty(item);
                    isAccessed |= (item & TFormat.AccessedMask) != 0;
                }
            }
        }

        walk.Buffer[walk.Count++] = new PageTableLeaf
        {
            Iova = ToIova(linear & ~mask),
            Address = new PhysicalAddress(TFormat.LeafAddress(entry) & ~mask),
            Size = mask + 1,
            Access = TFormat.Access(entry, level),
            Level = level,
            IsDirty = isDirty,
            IsAccessed = isAccessed,
            RawEntry = raw,
        };
        return linear | mask;
    }

    private static bool IsOfSameRun(ulong item, ulong entry, int level, ulong mask) =>
        TFormat.IsLeaf(item, level)
        && 1UL << TFormat.LeafSizeLog2(item, level) == mask + 1
        && ((TFormat.LeafAddress(item) ^ TFormat.LeafAddress(entry)) & ~mask) == 0
        && TFormat.Access(item, level) == TFormat.Access(entry, level);
}
