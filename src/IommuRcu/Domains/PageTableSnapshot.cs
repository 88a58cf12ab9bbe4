// A copy of one table: what a dump shows of it.
namespace IommuRcu;

/// <summary>A table of the tree as it was at one moment: copied, so that it may be kept.</summary>
public sealed class PageTableSnapshot
{
    internal PageTableSnapshot(PhysicalAddress address, int level, Iova first, int capacity, IReadOnlyList<PageTableEntry> entries)
    {
        Address = address;
        Level = level;
        First = first;
        Capacity = capacity;
        Entries = entries;
    }

    /// <summary>Gets the table's physical address.</summary>
    public PhysicalAddress Address { get; }

    /// <summary>Gets the table's level; 0 is the lowest.</summary>
    public int Level { get; }

    /// <summary>Gets the first IOVA that the table serves.</summary>
    public Iova First { get; }

    /// <summary>Gets the number of entries that the table can hold.</summary>
    public int Capacity { get; }

    /// <summary>Gets the entries that are in use.</summary>
    public IReadOnlyList<PageTableEntry> Entries { get; }
}

/// <summary>An entry of a table, as it was at one moment.</summary>
/// <param name="Index">Its index in the table.</param>
/// <param name="Raw">The entry as it stands in memory.</param>
/// <param name="Iova">The first IOVA that it serves.</param>
/// <param name="IsTable">Whether it points to a table; otherwise to a page, or one item of a contiguous run.</param>
/// <param name="Target">Where it points to.</param>
/// <param name="IsMarked">Whether it carries the software mark of a table that is being installed or reclaimed at that moment.</param>
public readonly record struct PageTableEntry(int Index, ulong Raw, Iova Iova, bool IsTable, PhysicalAddress Target, bool IsMarked);
