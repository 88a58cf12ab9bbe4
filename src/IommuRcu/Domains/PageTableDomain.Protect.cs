// Changing what mapped pages permit, and re-encoding a leaf without losing its state.
using IommuRcu.Annotations;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <inheritdoc/>
    [MayHoldReadLock]
    internal override ulong ProtectInto(Iova iova, ulong size, IommuAccess access, ref GatherData data)
    {
        ulong first = CheckGranules(iova, size);
        CheckMapping(default, size: 1, access);
        ulong last = first + (size - 1);
        ulong mapped = 0;
        using (Rcu.ReadLock())
        {
            ulong top = Volatile.Read(ref _top);
            ThrowIfDisposed(top);
            int level = TopLevel(top);
            if (!Reaches(level, first))
            {
                return 0;
            }

            last = Reaches(level, last) ? last : LastOfItem(0, level + 1);
            ThrowIfInsidePage(first, first, last);
            ThrowIfInsidePage(last, first, last);
            if (TFormat.NeedsBreakBeforeMake)
            {
                ThrowIfMemoryTypeChanges(TopTable(top), level, isRoot: true, first, last, access);
            }

            mapped = ProtectIn(TopTable(top), level, isRoot: true, first, last, access);
        }

        if (mapped != 0)
        {
            data.AddRange(ToIova(first), ToIova(last));
        }

        return mapped;
    }

    /// <summary>
    /// Throws when a page of a range has another memory type than the access asks for. Permissions may change while an entry is valid; a memory type may not,
    /// whatever the break-before-make level (Arm DDI 0487, D8.16.1).
    /// </summary>
    private void ThrowIfMemoryTypeChanges(ulong* table, int level, bool isRoot, ulong first, ulong last, IommuAccess access)
    {
        const IommuAccess MemoryType = IommuAccess.Cacheable | IommuAccess.Mmio;
        ulong* slot = isRoot ? RootSlot(table, level, first) : Slot(table, level, first);
        ulong at = first;
        while (true)
        {
            ulong end = Math.Min(LastOfItem(at, level), last);
            ulong entry = Volatile.Read(ref *slot);
            if (level > 0 && TFormat.IsTable(entry, level))
            {
                ThrowIfMemoryTypeChanges(TableOf(entry), level - 1, isRoot: false, at, end, access);
            }
            else if (TFormat.IsLeaf(entry, level) && ((TFormat.Access(entry, level) ^ access) & MemoryType) != 0)
            {
                throw new ArgumentException(
                    $"The page at IOVA {ToIova(at)} is mapped with {TFormat.Access(entry, level)}: {TFormat.Name} does not let a valid entry change its memory type. Unmap it, and map it again.",
                    nameof(access));
            }

            if (end == last)
            {
                return;
            }

            at = end + 1;
            slot++;
        }
    }

    private ulong ProtectIn(ulong* table, int level, bool isRoot, ulong first, ulong last, IommuAccess access)
    {
        ulong* slot = isRoot ? RootSlot(table, level, first) : Slot(table, level, first);
        ulong mapped = 0;
        ulong at = first;
        while (true)
        {
            ulong end = Math.Min(LastOfItem(at, level), last);
            ulong entry = Volatile.Read(ref *slot);
            if (level > 0 && TFormat.IsTable(entry, level))
            {
                mapped += ProtectIn(TableOf(entry), level - 1, isRoot: false, at, end, access);
            }
            else
            {
                while (TFormat.IsLeaf(entry, level))
                {
                    ulong changed = Reencode(entry, level, TFormat.LeafSizeLog2(entry, level), level, access, at);

                    // Against the entry that was read: hardware may set its bits, and a scanner clean them, at any moment.
                    ulong found = Interlocked.CompareExchange(ref *slot, changed, entry);
                    if (found == entry)
                    {
                        mapped += end - at + 1;
                        break;
                    }

                    entry = found;
                }
            }

            if (end == last)
            {
                return mapped;
            }

            at = end + 1;
            slot++;
        }
    }

    /// <summary>Encodes what a leaf maps at an address as a leaf of another level, size or access, with the accessed and dirty state that it has.</summary>
    private static ulong Reencode(ulong entry, int level, int sizeLog2, int toLevel, IommuAccess access, ulong linear, int toSizeLog2 = 0)
    {
        toSizeLog2 = toSizeLog2 == 0 ? sizeLog2 : toSizeLog2;

        // The address that the entry holds for this very item, and how much of it the new entry is to hold: its own, or the run's.
        ulong page = (1UL << TFormat.LeafSizeLog2(entry, level)) - 1;
        int holdsLog2 = TFormat.RunsAreIdentical ? toSizeLog2 : Shift(toLevel);
        ulong address = ((TFormat.LeafAddress(entry) & ~page) | (linear & page)) & ~((1UL << holdsLog2) - 1);
        ulong changed = TFormat.LeafAttributes(toLevel, toSizeLog2, access) | TFormat.AddressField(address);
        changed = (changed & ~TFormat.AccessedMask) | (entry & TFormat.AccessedMask);
        if (IsDirty(entry))
        {
            return TFormat.WithDirty(changed);
        }

        // A page that was not writable has no clean state worth keeping: a new mapping's state is the safe one.
        bool wasWritable = (TFormat.Access(entry, level) & IommuAccess.Write) != 0;
        return wasWritable && IsDirty(changed) ? TFormat.WithoutDirty(changed) : changed;
    }
}
