// The life of a page, as its descriptor records it.
namespace IommuRcu.Memory;

/// <summary>Where a page is on its way from the allocator into a table and back.</summary>
public enum TablePageState
{
    /// <summary>Nobody has it: it belongs to the allocator.</summary>
    Free,

    /// <summary>Handed out and never published: it may be freed at once.</summary>
    Allocated,

    /// <summary>Readers and devices can reach it through an entry. It cannot be freed.</summary>
    Linked,

    /// <summary>No new reader or device reaches it; those that are already on it stay until a flush and a grace period.</summary>
    Unlinked,

    /// <summary>On a gather's list, until the IOTLB is flushed.</summary>
    Gathered,

    /// <summary>Flushed, and on its way through a grace period; its callback frees it.</summary>
    Retired,
}
