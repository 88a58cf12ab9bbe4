// Mapping a range: check it, allocate the tables that it lacks, store its leaves; or change nothing.
using System.Numerics;
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <summary>Part of a range to be mapped that is made of pages of one size and lies in one table.</summary>
    private readonly ref struct Run(int level, int sizeLog2, ulong last)
    {
        internal readonly int Level = level;
        internal readonly int SizeLog2 = sizeLog2;
        internal readonly ulong Last = last;
    }

    private void MapRange(ulong first, ulong last, ulong address, IommuAccess access)
    {
        if (TFormat.GrowsFromLevels != 0)
        {
            GrowTo(last);
        }

        PageList spare = default;
        GatherData data = default;
        ulong stored = 0;
        try
        {
            while (true)
            {
                int missing;
                using (Rcu.ReadLock())
                {
                    missing = CountMissingTables(first + stored, last, address + stored);
                    if (missing <= spare.Count && TryStoreRange(first, last, address, access, ref spare, ref data, ref stored))
                    {
                        break;
                    }
                }

                // Outside the section that is opened here: where the caller has none either, the allocator may wait for a grace period.
                // A second time round only where tables were reclaimed between counting and storing.
                while (spare.Count < missing)
                {
                    spare.Add(PageAllocator.Allocate(TFormat.GranuleLog2));
                }
            }

            FlushStrictly(ref data);
        }
        catch
        {
            // All or nothing. Rarely anything was stored: a table was reclaimed meanwhile and there is no memory for another, or a flush failed.
            if (stored != 0)
            {
                UnmapLinear(first, first + (stored - 1), ref data, null);
            }

            FlushOrDefer(ref data);
            throw;
        }
        finally
        {
            FreeSpare(ref spare);
        }
    }

    /// <summary>Frees what is left of the pages allocated beforehand: never published, or the losers of an install.</summary>
    private void FreeSpare([Unpublished] ref PageList spare) => PageAllocator.FreeList(ref spare);

    /// <summary>Chooses the largest page that both alignments and the rest of the range allow, and how far pages of that size go.</summary>
    private Run NextRun(ulong linear, ulong address, ulong last)
    {
        int bits = Math.Min(BitOperations.TrailingZeroCount(linear | address | (1UL << 63)), 63 - BitOperations.LeadingZeroCount(last - linear + 1));
        int sizeLog2 = 63 - BitOperations.LeadingZeroCount(_pageSizes & ((2UL << bits) - 1));
        int level = LevelOf(sizeLog2);
        ulong pages = (last - linear + 1) >> sizeLog2;
        ulong end = linear + ((pages << sizeLog2) - 1);

        // A larger page becomes possible where both addresses are aligned to it at once and the rest is long enough.
        ulong larger = _pageSizes & ~((2UL << sizeLog2) - 1) & ((2UL << BitOperations.TrailingZeroCount((linear ^ address) | (1UL << 63))) - 1);
        if (larger != 0)
        {
            ulong page = larger & (0 - larger);
            ulong before = linear | (page - 1);
            if (before < last && last - before >= page)
            {
                end = Math.Min(end, before);
            }
        }

        return new Run(level, sizeLog2, Math.Min(end, LastOfItem(linear, level + 1)));
    }

    /// <summary>Makes sure that nothing is mapped in a range, and returns an upper bound of the tables that are missing for it. In a section.</summary>
    /// <exception cref="IovaInUseException">Something is mapped.</exception>
    private int CountMissingTables(ulong first, ulong last, ulong address)
    {
        // By level: up to which address the missing tables of that level are counted. The runs come in order.
        ulong* countedTo = stackalloc ulong[MaxLevels];
        int counted = 0;
        int missing = 0;
        ulong linear = first;
        while (true)
        {
            Run run = NextRun(linear, address, last);
            ulong top = Volatile.Read(ref _top);
            ThrowIfDisposed(top);
            int level = TopLevel(top);
            ulong* slot = RootSlot(TopTable(top), level, linear);
            while (level > run.Level)
            {
                ulong entry = Volatile.Read(ref *slot);
                if (entry == 0)
                {
                    break;
                }

                if (!TFormat.IsTable(entry, level))
                {
                    throw new IovaInUseException(ToIova(linear));
                }

                level--;
                slot = Slot(TableOf(entry), level, linear);
            }

            if (level > run.Level)
            {
                for (int lower = level - 1; lower >= run.Level; lower--)
                {
                    if ((counted & (1 << lower)) == 0 || linear > countedTo[lower])
                    {
                        counted |= 1 << lower;
                        countedTo[lower] = LastOfItem(linear, lower + 1);
                        missing++;
                    }
                }
            }
            else
            {
                ThrowIfUsed(slot, level, linear, (int)((run.Last - linear) >> Shift(level)) + 1);
            }

            if (run.Last == last)
            {
                return missing;
            }

            address += run.Last - linear + 1;
            linear = run.Last + 1;
        }
    }

    // Empty tables are not in the way of a larger page.
    private void ThrowIfUsed(ulong* slots, int level, ulong linear, int count)
    {
        int i = 0;
        while (true)
        {
            int used = EntryBlock.FindUsed(slots + i, count - i);
            if (used < 0)
            {
                return;
            }

            i += used;
            ulong entry = Volatile.Read(ref slots[i]);
            ulong at = (linear & ~LastOfItem(0, level)) + ((ulong)i << Shift(level));
            if (level > 0 && TFormat.IsTable(entry, level))
            {
                ThrowIfAnyUsed(TableOf(entry), level - 1, at);
            }
            else if (entry != 0)
            {
                throw new IovaInUseException(ToIova(Math.Max(at, linear)));
            }

            i++;
        }
    }

    private void ThrowIfAnyUsed(ulong* table, int level, ulong linear) => ThrowIfUsed(table, level, linear, EntriesPerTable);

    /// <summary>Stores the leaves of a range that are not stored yet. In the section in which the range was checked.</summary>
    /// <returns><see langword="false"/> when the spare tables did not suffice.</returns>
    private bool TryStoreRange(ulong first, ulong last, ulong address, IommuAccess access, ref PageList spare, ref GatherData data, ref ulong stored)
    {
        ulong linear = first + stored;
        address += stored;
        while (true)
        {
            Run run = NextRun(linear, address, last);
            if (!TryStoreRun(linear, run, address, access, ref spare, ref data))
            {
                return false;
            }

            stored = run.Last - first + 1;
            if (run.Last == last)
            {
                return true;
            }

            address += run.Last - linear + 1;
            linear = run.Last + 1;
        }
    }

    private bool TryStoreRun(ulong linear, Run run, ulong address, IommuAccess access, ref PageList spare, ref GatherData data)
    {
        int level = run.Level;
        int count = (int)((run.Last - linear) >> Shift(level)) + 1;
        ulong leaf = TFormat.LeafAttributes(level, run.SizeLog2, access) | TFormat.AddressField(address);
        while (true)
        {
            if (!TryFindOrInstall(linear, level, ref spare, ref data, out Place place))
            {
                return false;
            }

            ulong* slots = place.ParentSlot == null ? RootSlot(place.Table, level, linear) : Slot(place.Table, level, linear);
            if (level == 0 && (!TFormat.RunsAreIdentical || run.SizeLog2 == Shift(0)))
            {
                EntryBlock.Fill(slots, count, leaf, TFormat.AddressField(1UL << Shift(0)));
            }
            else
            {
                if (BreaksBeforeMake && level > 0)
                {
                    BreakEmptyTables(slots, level, linear, count, ref data);
                }

                StoreLeaves(slots, level, run.SizeLog2, linear, count, leaf, ref data);
            }

            // The last store of the run was a release, so this read pairs with the reclaimer's barrier for all of them.
            if (TFormat.ReclaimMark != 0 && !place.IsLinked && !ConfirmOrTakeBack(linear, level, place.Table, slots, count, ref data))
            {
                continue;
            }

            if (level > 0 && HasUnflushedTables)
            {
                data.AddRange(ToIova(linear), ToIova(run.Last));
                data.TablesFreed = true;
            }

            return true;
        }
    }

    /// <summary>
    /// Takes the empty tables away that stand where large pages are to be, and flushes them before any of the pages is stored. The range is the mapper's
    /// alone, so nobody misses anything in between.
    /// </summary>
    private void BreakEmptyTables(ulong* slots, int level, ulong linear, int count, ref GatherData data)
    {
        bool broken = false;
        for (int i = 0; i < count; i++)
        {
            ulong old = Volatile.Read(ref slots[i]) == 0 ? 0 : Interlocked.Exchange(ref slots[i], 0);
            if (old != 0)
            {
                broken = true;
                ulong at = linear + ((ulong)i << Shift(level));
                AddItem(ref data, at, level);
                CollectTable(old, level - 1, at, ref data, null);
            }
        }

        // What the reclaimer unlinked here may not be flushed yet either; its count went up before its entry went.
        if (broken || HasUnflushedTables)
        {
            ulong last = linear + (((ulong)count << Shift(level)) - 1);
            Invalidator?.Invalidate(new IovaRange(ToIova(linear), ToIova(last)), tablesFreed: true);
        }
    }

    /// <summary>Stores leaves that share an entry in a contiguous run, or that may take the place of empty tables.</summary>
    private void StoreLeaves(ulong* slots, int level, int sizeLog2, ulong linear, int count, ulong leaf, ref GatherData data)
    {
        int itemsLog2 = TFormat.RunsAreIdentical ? sizeLog2 - Shift(level) : 0;
        ulong step = TFormat.AddressField(1UL << (Shift(level) + itemsLog2));
        for (int i = 0; i < count; i++)
        {
            ulong value = leaf + ((ulong)(i >> itemsLog2) * step);
            if (level == 0 || Volatile.Read(ref slots[i]) == 0)
            {
                Volatile.Write(ref slots[i], value);
            }
            else
            {
                // An empty table, or one that the reclaimer just unlinked: the exchange says whose it is.
                ulong old = Interlocked.Exchange(ref slots[i], value);
                if (old != 0)
                {
                    ulong at = linear + ((ulong)i << Shift(level));
                    AddItem(ref data, at, level);
                    CollectTable(old, level - 1, at, ref data, null);
                }
            }
        }
    }
}
