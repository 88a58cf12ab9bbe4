// What a look-up of one IOVA found.
namespace IommuRcu;

/// <summary>Where an IOVA leads at the moment of the look-up, and what the leaf that says so permits.</summary>
public readonly record struct Translation
{
    /// <summary>Gets the physical address of the very byte that was asked for.</summary>
    public PhysicalAddress Address { get; init; }

    /// <summary>Gets what the mapping permits.</summary>
    public IommuAccess Access { get; init; }

    /// <summary>Gets the page's size in bytes: of the whole run, where the page is a contiguous run.</summary>
    public ulong PageSize { get; init; }

    /// <summary>Gets the level of the table that holds the leaf; 0 is the lowest.</summary>
    public int Level { get; init; }

    /// <summary>Gets whether the leaf that was read is dirty. In a contiguous run other items may be dirty where this one is not.</summary>
    public bool IsDirty { get; init; }

    /// <summary>Gets whether the leaf that was read has been accessed; false where the format does not track it.</summary>
    public bool IsAccessed { get; init; }

    /// <summary>Gets the leaf as it stands in the table.</summary>
    public ulong RawEntry { get; init; }
}
