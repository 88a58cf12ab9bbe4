// Installing tables, and making sure that a table is linked: the mapper's half of the protocol with the reclaimer of empty tables.
using System.Runtime.CompilerServices;
using IommuRcu.Memory;

namespace IommuRcu;

// A table entry may carry a mark. It means: do not rely on this entry. It is set by the reclaimer on the entry of a table that looks empty, and by whoever
// installs a table, until the install is confirmed. A mapper that meets a mark never waits: it confirms the entry, clears the mark, and goes on.
//
// An entry is confirmed by reading the entry above it after it was stored, unmarked and leading here. Why that suffices: the reclaimer marks the upper
// entry, passes a process-wide barrier, and only then scans the table and unlinks it by compare-exchange from the mark. If the scan missed the lower entry, then
// the mark was there before the lower entry was, so the read would have seen it, or that somebody cleared it, and then the compare-exchange fails.
// So: an unmarked entry stands in a linked table. By induction the whole way down from the root is linked when no entry of it is marked.
//
// Without the mark of an unconfirmed install there would be a hole: a mapper that installs a table in one that was unlinked a moment ago, and a second mapper
// that comes through it, stores a leaf, and finds the entry just above unchanged.
internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <summary>A table in the tree, and the entry that led to it: null for the root.</summary>
    private readonly ref struct Place(ulong* table, ulong* parentSlot, ulong parent)
    {
        internal readonly ulong* Table = table;
        internal readonly ulong* ParentSlot = parentSlot;
        internal readonly ulong Parent = parent;

        /// <summary>Says whether the entry still leads to the table, unmarked. Pairs with the reclaimer's process-wide barrier.</summary>
        internal bool IsLinked => ParentSlot == null || ((Volatile.Read(ref *ParentSlot) ^ Parent) & LinkMask) == 0;
    }

    /// <summary>Finds the table of a level for an address, and installs what is missing on the way. In a section.</summary>
    /// <returns><see langword="false"/> when a table is missing and no spare page is left.</returns>
    /// <exception cref="IovaInUseException">A page stands in the way.</exception>
    private bool TryFindOrInstall(ulong linear, int tableLevel, ref PageList spare, ref GatherData data, out Place place)
    {
    restart:
        ulong top = Volatile.Read(ref _top);
        int level = TopLevel(top);
        ulong* table = TopTable(top);
        ulong* slot = RootSlot(table, level, linear);
        place = new Place(table, null, 0);
        while (level > tableLevel)
        {
            ulong entry = Volatile.Read(ref *slot);
            if (entry == 0)
            {
                if (!spare.TryTake(out TablePage page))
                {
                    return false;
                }

                if (!TryInstall(page, slot, level, linear, place, ref spare, ref data))
                {
                    goto restart;
                }

                continue;
            }

            if (!TFormat.IsTable(entry, level))
            {
                throw new IovaInUseException(ToIova(linear));
            }

            if ((entry & TFormat.ReclaimMark) != 0)
            {
                if (!TryClearMark(slot, entry, level, linear, place))
                {
                    goto restart;
                }

                continue;
            }

            place = new Place(TableOf(entry), slot, entry);
            level--;
            slot = Slot(place.Table, level, linear);
        }

        return true;
    }

    /// <summary>Says whether the way from the root leads to a table, with no mark on it; marks on the way are confirmed and cleared. In a section.</summary>
    private bool ConfirmPath(ulong linear, int tableLevel, ulong* expected)
    {
    restart:
        ulong top = Volatile.Read(ref _top);
        int level = TopLevel(top);
        if (level < tableLevel)
        {
            return false;
        }

        var place = new Place(TopTable(top), null, 0);
        ulong* slot = RootSlot(place.Table, level, linear);
        while (level > tableLevel)
        {
            ulong entry = Volatile.Read(ref *slot);
            if (!TFormat.IsTable(entry, level))
            {
                return false;
            }

            if ((entry & TFormat.ReclaimMark) != 0)
            {
                if (!TryClearMark(slot, entry, level, linear, place))
                {
                    goto restart;
                }

                continue;
            }

            place = new Place(TableOf(entry), slot, entry);
            level--;
            slot = Slot(place.Table, level, linear);
        }

        return place.Table == expected;
    }

    /// <summary>Confirms a marked entry and clears its mark. False: the way to it has changed.</summary>
    private bool TryClearMark(ulong* slot, ulong entry, int level, ulong linear, Place place)
    {
        // After the entry was read: see the reasoning at the top.
        if (!place.IsLinked)
        {
            return false;
        }

        FlushUnlinkedTables(linear, level);

        // When this fails somebody else changed the entry: the caller reads it again.
        Interlocked.CompareExchange(ref *slot, entry & ~TFormat.ReclaimMark, entry);
        return true;
    }

    /// <summary>
    /// Flushes the range of an entry if the flush of an unlinked table is outstanding. A device may still have the way through that table, and find holes there
    /// where mappings are about to be made; so no entry of a new table is confirmed before.
    /// </summary>
    private void FlushUnlinkedTables(ulong linear, int level)
    {
        if (HasUnflushedTables && Invalidator is { } invalidator)
        {
            ulong last = LastOfItem(linear, level);
            ulong first = last - (LastOfItem(0, level) & last);
            invalidator.Invalidate(new IovaRange(ToIova(first), ToIova(Math.Min(last, _lastLinear))), tablesFreed: true);
        }
    }

    /// <summary>Installs a table in an empty slot. True: the slot holds a table now, ours or another's. False: the way to the slot has changed.</summary>
    private bool TryInstall(TablePage page, ulong* slot, int level, ulong linear, Place place, ref PageList spare, ref GatherData data)
    {
        // Linked before it is: once the entry is there, others may unlink the page at once. The compare-exchange publishes the page's zeroes.
        page.MarkLinked();
        ulong entry = TFormat.TableEntry(page.Address.Value, level) | TFormat.ReclaimMark;
        if (Interlocked.CompareExchange(ref *slot, entry, 0) != 0)
        {
            // The race is lost and nobody ever saw the page: it is used elsewhere, or freed directly.
            page.MarkNeverLinked();
            spare.Add(page);
            return true;
        }

        if (TFormat.ReclaimMark == 0)
        {
            return true;
        }

        bool confirmed = false;
        try
        {
            confirmed = place.IsLinked || ConfirmPath(linear, level, place.Table);
            if (confirmed)
            {
                FlushUnlinkedTables(linear, level);
            }
        }
        finally
        {
            if (!confirmed)
            {
                RemoveUnconfirmed(slot, entry, page, linear, level, ref data);
            }
        }

        if (confirmed)
        {
            ClearOwnMark(slot, entry);
        }

        return confirmed;
    }

    // The hardware may set the accessed bit, and another mapper may clear the mark: only the link counts.
    private static void ClearOwnMark(ulong* slot, ulong installed)
    {
        while (true)
        {
            ulong entry = Volatile.Read(ref *slot);
            if (((entry ^ installed) & LinkMask) != 0 || Interlocked.CompareExchange(ref *slot, entry & ~TFormat.ReclaimMark, entry) == entry)
            {
                return;
            }
        }
    }

    /// <summary>Takes a table back that was installed in one that is not linked any more. Others may have seen it, so it is gathered.</summary>
    private void RemoveUnconfirmed(ulong* slot, ulong installed, TablePage page, ulong linear, int level, ref GatherData data)
    {
        while (true)
        {
            ulong entry = Volatile.Read(ref *slot);
            if (((entry ^ installed) & LinkMask) != 0)
            {
                // Confirmed by another mapper, or taken by the reclaimer: not ours any more.
                return;
            }

            if (Interlocked.CompareExchange(ref *slot, 0, entry) == entry)
            {
                break;
            }
        }

        page.MarkUnlinked();
        AddItem(ref data, linear, level);
        data.Add(page);
    }

    /// <summary>Adds to a gather the whole range of an entry.</summary>
    private void AddItem(ref GatherData data, ulong linear, int level)
    {
        ulong last = LastOfItem(linear, level);
        ulong first = last - (LastOfItem(0, level) & last);
        data.AddRange(ToIova(first), ToIova(Math.Min(last, _lastLinear)));
    }
}
