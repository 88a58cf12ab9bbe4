// Mapping: the call itself, and its fast path, which stores one leaf into a table that is there.
using System.Numerics;
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <inheritdoc/>
    [MayHoldReadLock]
    public override void Map(Iova iova, PhysicalAddress address, ulong size, IommuAccess access)
    {
        ulong first = CheckGranules(iova, size);
        CheckMapping(address, size, access);
        bool tookBack = false;
        if (size == GranuleMask + 1)
        {
            ulong leaf = TFormat.LeafAttributes(0, TFormat.GranuleLog2, access) | TFormat.AddressField(address.Value);
            if (TryMapLeaf(first, 0, leaf, ref tookBack))
            {
                return;
            }
        }
        else if (BitOperations.IsPow2(size) && (_pageSizes & size) != 0 && ((first | address.Value) & (size - 1)) == 0)
        {
            int sizeLog2 = BitOperations.Log2(size);
            int level = LevelOf(sizeLog2);
            ulong leaf = TFormat.LeafAttributes(level, sizeLog2, access) | TFormat.AddressField(address.Value);
            if (sizeLog2 == Shift(level) && TryMapLeaf(first, level, leaf, ref tookBack))
            {
                return;
            }
        }

        if (tookBack)
        {
            MapTakenBack(first, first + (size - 1), address.Value, access);
            return;
        }

        MapRange(first, first + (size - 1), address.Value, access);
    }

    // A device may have found the leaf before it was taken back. That is right if the mapping is made after all, and must be forgotten if it is not.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void MapTakenBack(ulong first, ulong last, ulong address, IommuAccess access)
    {
        bool mapped = false;
        try
        {
            MapRange(first, last, address, access);
            mapped = true;
        }
        finally
        {
            if (!mapped)
            {
                GatherData data = default;
                data.AddRange(ToIova(first), ToIova(last));
                data.TablesFreed = true;
                FlushOrDefer(ref data);
            }
        }
    }

    /// <summary>
    /// Stores one leaf, if the table for it is there and nothing on the way is marked. Otherwise nothing is changed, and the slower path finds out why.
    /// </summary>
    /// <remarks>
    /// Nothing in the section can throw, and it calls nothing: so it needs no finally, and everything stays in registers.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryMapLeaf(ulong linear, int leafLevel, ulong leaf, ref bool tookBack)
    {
        bool stored = false;
#pragma warning disable IRCU031 // nothing in the section throws, and a finally would keep it out of registers
        RcuReadScope section = Rcu.ReadLock();
#pragma warning restore IRCU031
        Descent descent = Descend(linear, leafLevel);
        if (descent.Slot != null && (descent.Marks & TFormat.ReclaimMark) == 0 && Volatile.Read(ref *descent.Slot) == 0

            // Where hardware wants it so, what was unlinked here is flushed before a page takes its place: the slower path does it.
            && !(BreaksBeforeMake && leafLevel > 0 && HasUnflushedTables))
        {
            // The slot is this caller's alone, so a store does. Release: what the caller wrote into the memory is there before a device finds it.
            Volatile.Write(ref *descent.Slot, leaf);

            // Pairs with the process-wide barrier of the reclaimer, which stands between its mark and its scan of the table: either the scan sees the
            // leaf, or this read sees the mark. And a large page where a table stood: until that table's unlinking is flushed, a device may look for
            // the page in it.
            stored = (TFormat.ReclaimMark == 0 || descent.ParentSlot == null || ((Volatile.Read(ref *descent.ParentSlot) ^ descent.Parent) & LinkMask) == 0)
                && (leafLevel == 0 || !HasUnflushedTables);
            if (!stored)
            {
                // Taken back while the section holds the table, linked or not; the slower path makes sure of the table and stores again.
                Volatile.Write(ref *descent.Slot, 0);
                tookBack = true;
            }
        }

        section.Dispose();
        return stored;
    }

    /// <summary>Makes sure that a table is linked in which leaves were stored; if it is not, takes the leaves back.</summary>
    private bool ConfirmOrTakeBack(ulong linear, int level, ulong* table, ulong* slots, int count, ref GatherData data)
    {
        bool confirmed = false;
        try
        {
            confirmed = ConfirmPath(linear, level, table);
        }
        finally
        {
            if (!confirmed)
            {
                // The table left the tree, or the mapping must be made in another way: a device that is still in the table must not find the leaves
                // after their Unmap.
                EntryBlock.Clear(slots, count);

                // What a device found in the table meanwhile is right if the mapping is made elsewhere, and must be forgotten if that fails: either way
                // the call flushes the range before it ends, or leaves the flush pending.
                data.AddRange(ToIova(linear), ToIova(LastOfItem(linear, level) + ((ulong)(count - 1) << Shift(level))));
                data.TablesFreed = true;
            }
        }

        return confirmed;
    }
}
