// The way down to one entry as the fast paths take it: loads and nothing else, or a shrug that leaves the rest to the slower paths.
using System.Runtime.CompilerServices;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    // The first window of the memory, copied here: one load less for each level. Tables in other windows take the slower paths.
    private readonly ulong _windowFirst;
    private readonly ulong _windowSize;
    private readonly byte* _window;

    /// <summary>Where a descent ended: the entry's place, and what led to its table.</summary>
    private readonly ref struct Descent
    {
        /// <summary>The entry; null when the way there is not all tables, or not all in the first window.</summary>
        internal ulong* Slot { get; init; }

        /// <summary>The table that the entry stands in.</summary>
        internal ulong* Table { get; init; }

        /// <summary>The entry that led to the table; null for the root.</summary>
        internal ulong* ParentSlot { get; init; }

        /// <summary>What it was.</summary>
        internal ulong Parent { get; init; }

        /// <summary>All entries on the way, or-ed: whether one of them was marked.</summary>
        internal ulong Marks { get; init; }

        /// <summary>What stood where no table was; 0 for a hole.</summary>
        internal ulong Obstacle { get; init; }

        /// <summary>Whether an entry on the way was no table: a hole or a page.</summary>
        internal bool IsBlocked { get; init; }
    }

    /// <summary>Goes down to the entry of a level for an address. In a section. Throws nothing and calls nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Descent Descend(ulong linear, int toLevel)
    {
        // Every read of an entry is an acquire: what is read through it was written before it was published.
        ulong top = Volatile.Read(ref _top);
        int level = TopLevel(top);
        if (level < toLevel || !Reaches(level, linear))
        {
            return default;
        }

        int shift = Shift(level);
        ulong* table = TopTable(top);
        ulong* slot = table + (linear >> shift);
        ulong* parentSlot = null;
        ulong parent = 0;
        ulong marks = 0;
        while (level > toLevel)
        {
            parentSlot = slot;
            parent = Volatile.Read(ref *slot);
            if (!TFormat.IsTable(parent, level))
            {
                return new Descent { Obstacle = parent, IsBlocked = true };
            }

            ulong offset = TFormat.TableAddress(parent) - _windowFirst;
            if (offset >= _windowSize)
            {
                return default;
            }

            marks |= parent;
            level--;
            shift -= IndexBits;
            table = (ulong*)(_window + offset);
            slot = table + ((linear >> shift) & (ulong)(EntriesPerTable - 1));
        }

        return new Descent { Slot = slot, Table = table, ParentSlot = parentSlot, Parent = parent, Marks = marks };
    }
}
