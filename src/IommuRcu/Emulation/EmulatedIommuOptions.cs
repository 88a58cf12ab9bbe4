// How an emulated IOMMU is built.
namespace IommuRcu.Emulation;

/// <summary>What an <see cref="EmulatedIommu"/> caches and keeps.</summary>
public sealed record EmulatedIommuOptions
{
    /// <summary>Gets the number of translations of 4 KiB that the IOTLB keeps for each device: a power of two, 16 to 65,536.</summary>
    public int IotlbEntries { get; init; } = 1024;

    /// <summary>
    /// Gets whether each device also keeps the addresses of lowest-level tables, as hardware does. Such an entry goes stale when its table leaves the tree, and only an
    /// invalidation that says so (<c>tablesFreed</c>) removes it.
    /// </summary>
    public bool CachesTables { get; init; } = true;

    /// <summary>Gets how many faults are kept until they are taken, the newest: 1 to 1,048,576. Older ones are dropped, and counted.</summary>
    public int FaultCapacity { get; init; } = 1024;
}
