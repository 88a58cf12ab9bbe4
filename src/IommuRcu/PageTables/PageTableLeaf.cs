// One leaf that a walk met.
namespace IommuRcu;

/// <summary>A mapped page, as a walk met it.</summary>
public readonly record struct PageTableLeaf
{
    /// <summary>Gets the first IOVA of the page. It may lie below the range that was walked, when the page reaches into it.</summary>
    public Iova Iova { get; init; }

    /// <summary>Gets the physical address of the page's first byte.</summary>
    public PhysicalAddress Address { get; init; }

    /// <summary>Gets the page's size in bytes: of the whole run, where the page is a contiguous run.</summary>
    public ulong Size { get; init; }

    /// <summary>Gets what the mapping permits.</summary>
    public IommuAccess Access { get; init; }

    /// <summary>Gets the level of the table that holds the leaf; 0 is the lowest.</summary>
    public int Level { get; init; }

    /// <summary>Gets whether the page is dirty: any item of it, where it is a contiguous run.</summary>
    public bool IsDirty { get; init; }

    /// <summary>Gets whether the page was accessed: any item of it, where it is a contiguous run. False where the format does not track it.</summary>
    public bool IsAccessed { get; init; }

    /// <summary>Gets the leaf as it stands in the table: the first item, where the page is a contiguous run, unless that one was changing meanwhile.</summary>
    public ulong RawEntry { get; init; }
}
