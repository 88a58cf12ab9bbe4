// Reclaiming tables that became empty by unmapping them in parts: the reclaimer's half of the asymmetric protocol.
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

// One reclaimer at a time. For a batch of tables: set the mark in the entry of each that looks empty - the entry stays present, so that devices and walkers
// never see a hole -; pass one process-wide barrier; scan each table again; unlink those that are still empty by compare-exchange from the marked entry, and
// take the mark off the others. Then flush, and retire.
//
// A mapper that stored a leaf before the barrier is seen by the scan. One that stores after it sees the mark when it reads the entry again, and either clears
// it first, so that the compare-exchange here fails, or finds the table unlinked, takes its leaf back and starts over. See the part for installing tables.
//
// The count of unflushed tables goes up before the unlinking and down after the flush: a mapper that finds the hole finds the count as well, and flushes itself
// before it relies on a new table there, because a device may still hold the way through the old one.
internal sealed unsafe partial class PageTableDomain<TFormat>
{
    private const int SweptPerPass = 16;
    private const int MaxBatch = MaxCandidates + SweptPerPass;

    private int _reclaiming;

    // Under the try-lock: where the sweep goes on.
    private ulong _sweepAt;

    /// <summary>A table whose entry was marked.</summary>
    private struct Marked
    {
        internal ulong* Slot;
        internal ulong Entry;
        internal ulong* Table;
        internal ulong* Parent;
        internal ulong Linear;
        internal int Level;
    }

    /// <inheritdoc/>
    [MayHoldReadLock]
    public override int ReclaimEmptyTables()
    {
        ThrowIfDisposed();
        if (_keepEmptyTables || Interlocked.CompareExchange(ref _reclaiming, 1, 0) != 0)
        {
            return 0;
        }

        int reclaimed = 0;
        try
        {
            for (int i = 0; i < KeptTables; i++)
            {
                Volatile.Write(ref _kept[i], 0);
            }

            int pass;
            _sweepAt = 0;
            do
            {
                reclaimed += pass = ReclaimPass();
            }
            while (pass != 0 || _sweepAt != 0);
        }
        finally
        {
            Volatile.Write(ref _reclaiming, 0);
        }

        return reclaimed;
    }

    /// <summary>Reclaims what waits. Who finds another reclaiming leaves it to that one, which looks again before it goes.</summary>
    private void ReclaimCandidates()
    {
        while (HasEnoughCandidates && Interlocked.CompareExchange(ref _reclaiming, 1, 0) == 0)
        {
            try
            {
                ReclaimPass();
            }
            finally
            {
                // A full fence before the count is read again: a candidate that was added meanwhile is seen here, or its thread sees the lock free.
                Interlocked.Exchange(ref _reclaiming, 0);
            }
        }
    }

    /// <summary>One pass: a batch of tables, their parents where those become empty, one flush.</summary>
    /// <returns>How many tables were unlinked.</returns>
    private int ReclaimPass()
    {
        GatherData data = default;
        int reclaimed = 0;
        try
        {
            ReclaimBatch(ref data, ref reclaimed);
        }
        finally
        {
            // Whatever happens: a table that was unlinked is flushed, or its flush is pending.
            FlushOrDefer(ref data);
        }

        return reclaimed;
    }

    private void ReclaimBatch(ref GatherData data, ref int reclaimed)
    {
        ulong* keys = stackalloc ulong[MaxBatch];
        Marked* marked = stackalloc Marked[MaxBatch];
        using (Rcu.ReadLock())
        {
            int count = TakeCandidates(new Span<ulong>(keys, MaxCandidates));
            count = Sweep(keys, count);
            while (count != 0)
            {
                int marks = 0;
                for (int i = 0; i < count; i++)
                {
                    if (TryMark(keys[i], ref marked[marks]))
                    {
                        marks++;
                    }
                }

                if (marks == 0)
                {
                    break;
                }

                // Pairs with every mapper's read of the parent entry after its store. One barrier serves the batch.
                ProcessWideBarrier.Pass();
                count = 0;
                for (int i = 0; i < marks; i++)
                {
                    if (TryUnlink(ref marked[i], ref data))
                    {
                        reclaimed++;
                        if (TryGetParentKey(in marked[i], out ulong key))
                        {
                            keys[count++] = key;
                        }
                    }
                }
            }
        }
    }

    /// <summary>Marks the entry of a table that looks empty. False: the table is gone, in use, or somebody is confirming it.</summary>
    private bool TryMark(ulong key, ref Marked marked)
    {
        int tableLevel = (int)(key & GranuleMask) - 1;
        ulong linear = key & ~GranuleMask;
        ulong top = Volatile.Read(ref _top);
        int level = TopLevel(top);
        if (level <= tableLevel || !Reaches(level, linear) || WasRoot(tableLevel, linear))
        {
            return false;
        }

        ulong* parent = TopTable(top);
        ulong* slot = RootSlot(parent, level, linear);
        while (true)
        {
            ulong entry = Volatile.Read(ref *slot);
            if (!TFormat.IsTable(entry, level))
            {
                return false;
            }

            ulong* table = TableOf(entry);
            level--;
            if (level > tableLevel)
            {
                parent = table;
                slot = Slot(table, level, linear);
                continue;
            }

            // A mark that is there already is a mapper's, or this batch's own for the same table: hands off.
            if ((entry & TFormat.ReclaimMark) != 0
                || EntryBlock.FindUsed(table, EntriesPerTable) >= 0
                || Interlocked.CompareExchange(ref *slot, entry | TFormat.ReclaimMark, entry) != entry)
            {
                return false;
            }

            marked = new Marked
            {
                Slot = slot,
                Entry = entry | TFormat.ReclaimMark,
                Table = table,
                Parent = parent,
                Linear = linear,
                Level = tableLevel,
            };
            return true;
        }
    }

    /// <summary>After the barrier: unlinks a table that is still empty and still marked, or takes the mark off.</summary>
    private bool TryUnlink(ref Marked marked, ref GatherData data)
    {
        bool isEmpty = EntryBlock.FindUsed(marked.Table, EntriesPerTable) < 0;
        if (isEmpty)
        {
            CountUnflushedTable();
        }

        while (true)
        {
            ulong entry = Volatile.Read(ref *marked.Slot);
            if (((entry ^ marked.Entry) & LinkMask) != 0)
            {
                // A mapper cleared the mark, or the table's owner unlinked it.
                break;
            }

            // From the very mark that was set, but for the accessed bit, which hardware may set: nobody else sets a mark on an entry that is there.
            if (Interlocked.CompareExchange(ref *marked.Slot, isEmpty ? 0 : entry & ~TFormat.ReclaimMark, entry) != entry)
            {
                continue;
            }

            if (!isEmpty)
            {
                break;
            }

            TablePage page = PageOf(marked.Entry);
            page.MarkUnlinked();
            AddItem(ref data, marked.Linear, marked.Level + 1);
            data.Add(page);
            data.Reclaimed++;
            return true;
        }

        if (isEmpty)
        {
            UncountUnflushedTable();
        }

        return false;
    }

    private bool TryGetParentKey(in Marked marked, out ulong key)
    {
        int level = marked.Level + 1;
        key = KeyOf(marked.Linear, level);
        return marked.Parent != TopTable(Volatile.Read(ref _top))
            && !WasRoot(level, marked.Linear)
            && EntryBlock.FindUsed(marked.Parent, EntriesPerTable) < 0;
    }

    /// <summary>Looks at the next few tables of the tree, and adds those that are empty and not kept back. In a section.</summary>
    private int Sweep(ulong* keys, int count)
    {
        ulong linear = _sweepAt;
        for (int i = 0; i < SweptPerPass; i++)
        {
            ulong top = Volatile.Read(ref _top);
            int level = TopLevel(top);
            if (level <= 0 || !Reaches(level, linear))
            {
                linear = 0;
                break;
            }

            ulong* table = TopTable(top);
            ulong* slot = RootSlot(table, level, linear);
            ulong entries = TFormat.GrowsFromLevels != 0 ? (ulong)EntriesPerTable : (_lastLinear >> Shift(level)) + 1;
            bool isRoot = true;
            while (level > 0)
            {
                // Read once: an owner may unmap the table that was found, and clear the entry, at any moment.
                ulong entry = Volatile.Read(ref *slot);
                if (!TFormat.IsTable(entry, level))
                {
                    break;
                }

                table = TableOf(entry);
                level--;
                slot = Slot(table, level, linear);
                entries = (ulong)EntriesPerTable;
                isRoot = false;
            }

            int index = (int)(slot - table);
            ulong last;
            if (level == 0)
            {
                if (!isRoot && EntryBlock.FindUsed(table, EntriesPerTable) < 0)
                {
                    count = AddSwept(keys, count, KeyOf(linear, 0));
                }

                last = isRoot ? _lastLinear : LastOfItem(linear, 1);
            }
            else
            {
                // A hole or a page: on to the next entry that is used, which may be a table.
                if (!isRoot && EntryBlock.FindUsed(table, EntriesPerTable) < 0)
                {
                    count = AddSwept(keys, count, KeyOf(linear, level));
                }

                int skip = index + 1 < (int)entries ? EntryBlock.FindUsed(slot + 1, (int)entries - index - 1) : -1;
                last = skip >= 0
                    ? LastOfItem(linear, level) + ((ulong)skip << Shift(level))
                    : isRoot ? _lastLinear : LastOfItem(linear, level + 1);
            }

            if (last >= _lastLinear)
            {
                linear = 0;
                break;
            }

            linear = last + 1;
        }

        _sweepAt = linear;
        return count;
    }

    private int AddSwept(ulong* keys, int count, ulong key)
    {
        if (!IsKept(key))
        {
            keys[count++] = key;
        }

        return count;
    }
}
