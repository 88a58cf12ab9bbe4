// Where tests step in between the steps of a DMA, and the mistakes that they put in to see them caught.
namespace IommuRcu.Emulation;

/// <summary>Hooks of one emulated IOMMU. Outside tests there are none.</summary>
internal sealed class EmulationHooks
{
    /// <summary>Runs after a leaf was read and found right, before its accessed and dirty bits are set.</summary>
    internal Action<Iova>? BeforeTouch { get; init; }

    /// <summary>Runs after a walk, before its result is cached.</summary>
    internal Action<Iova>? BeforeCaching { get; init; }

    /// <summary>Runs after a page was translated, before its bytes are copied.</summary>
    internal Action<Iova>? BeforeCopy { get; init; }

    /// <summary>Mistake: accessed and dirty bits are set by a plain store.</summary>
    internal bool TouchesByStore { get; init; }

    /// <summary>Mistake: an invalidation does not wait for what is in flight.</summary>
    internal bool SkipsDrain { get; init; }

    /// <summary>Mistake: a walk that an invalidation overtook is cached all the same.</summary>
    internal bool CachesOvertakenWalks { get; init; }
}
