// Copying one table for a dump.
namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <inheritdoc/>
    internal override PageTableSnapshot? TrySnapshotTable(Iova iova, int tableLevel)
    {
        ulong linear = ToLinear(iova);
        using (Rcu.ReadLock())
        {
            ulong top = Volatile.Read(ref _top);
            ThrowIfDisposed(top);
            int level = TopLevel(top);
            ulong* table = TopTable(top);
            PhysicalAddress address = RootAddressOf(table);
            if (level < tableLevel || !Reaches(level, linear))
            {
                return null;
            }

            bool isRoot = true;
            while (level > tableLevel)
            {
                ulong entry = Volatile.Read(ref *(isRoot ? RootSlot(table, level, linear) : Slot(table, level, linear)));
                if (!TFormat.IsTable(entry, level))
                {
                    return null;
                }

                isRoot = false;
                level--;
                table = TableOf(entry);
                address = new PhysicalAddress(TFormat.TableAddress(entry));
            }

            int capacity = isRoot && TFormat.GrowsFromLevels == 0 ? (int)(_lastLinear >> Shift(level)) + 1 : EntriesPerTable;
            ulong first = isRoot || Shift(level + 1) >= 64 ? 0 : linear & ~LastOfItem(0, level + 1);
#pragma warning disable IRCU025 // a snapshot is for people and tests, far from any hot path
            var entries = new List<PageTableEntry>();
            for (int i = 0; i < capacity; i++)
            {
                ulong entry = Volatile.Read(ref table[i]);
                if (entry == 0)
                {
                    continue;
                }

                bool isTable = level > 0 && TFormat.IsTable(entry, level);
                ulong at = first + ((ulong)i << Shift(level));
                ulong target = isTable ? TFormat.TableAddress(entry) : TargetOf(entry, level, at);
                entries.Add(new PageTableEntry(i, entry, ToIova(at), isTable, new PhysicalAddress(target), isTable && (entry & TFormat.ReclaimMark) != 0));
            }

            return new PageTableSnapshot(address, level, ToIova(first), capacity, entries);
#pragma warning restore IRCU025
        }
    }

    private static ulong TargetOf(ulong entry, int level, ulong linear)
    {
        ulong page = (1UL << TFormat.LeafSizeLog2(entry, level)) - 1;
        return (TFormat.LeafAddress(entry) & ~page) | (linear & page);
    }
}
