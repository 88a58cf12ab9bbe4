// What an emulated IOMMU has done so far.
namespace IommuRcu.Emulation;

/// <summary>Counters of an emulated IOMMU since it was made.</summary>
public readonly record struct EmulatedIommuStatistics
{
    /// <summary>Gets the accesses of a page that the IOTLB answered.</summary>
    public long IotlbHits { get; init; }

    /// <summary>Gets the accesses of a page that needed a walk of the tables.</summary>
    public long IotlbMisses { get; init; }

    /// <summary>Gets the walks that began again because an entry changed before its accessed or dirty bit was set.</summary>
    public long WalkRestarts { get; init; }

    /// <summary>Gets the DMA transfers that were begun.</summary>
    public long Transfers { get; init; }

    /// <summary>Gets the bytes that were read or written.</summary>
    public long BytesTransferred { get; init; }

    /// <summary>Gets the invalidations that were asked for.</summary>
    public long Invalidations { get; init; }

    /// <summary>Gets the faults recorded, those that were dropped included.</summary>
    public long Faults { get; init; }
}
