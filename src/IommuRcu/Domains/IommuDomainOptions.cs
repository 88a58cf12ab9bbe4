// How a domain is set up.
using IommuRcu.Memory;

namespace IommuRcu;

/// <summary>What a domain needs, and how it behaves. Nothing here can be changed once the domain exists.</summary>
public sealed record IommuDomainOptions
{
    /// <summary>Gets the allocator that tables come from and return to.</summary>
    public required PageAllocator PageAllocator { get; init; }

    /// <summary>Gets the width of an IOVA in bits; 0 takes the format's default. Where the root may grow, it is how far.</summary>
    public int AddressBits { get; init; }

    /// <summary>Gets log2 of the smallest page in bytes: 12, 14 or 16, as the format allows; 0 takes the format's default.</summary>
    public int GranuleLog2 { get; init; }

    /// <summary>Gets the page sizes that may be used, as a bitmap in which bit n stands for 2^n bytes: what the hardware supports of what the format has.</summary>
    /// <remarks>The granule is always among them.</remarks>
    public ulong PageSizes { get; init; } = ulong.MaxValue;

    /// <summary>Gets the hardware half; <see langword="null"/> where no hardware walks the tables.</summary>
    public IIommuInvalidator? Invalidator { get; init; }

    /// <summary>Gets how pages that left the tables are freed after a grace period.</summary>
    public RetireStrategy RetireStrategy { get; init; } = RetireStrategy.CallbackPerList;

    /// <summary>
    /// Gets whether tables stay that became empty by unmapping them in parts: for hardware that caches table entries where the format has no safe mark, and
    /// for domains that use the same ranges again. A table whose whole range is unmapped in one call leaves the tree even so.
    /// </summary>
    public bool KeepEmptyTables { get; init; }

    /// <summary>
    /// Gets whether the hardware takes a table in the place of a page, and the reverse, without an invalid entry in between (Arm: BBML 2). Only formats that
    /// <see cref="IPageTableFormat.NeedsBreakBeforeMake"/> ask.
    /// </summary>
    public bool ReplacesWithoutBreak { get; init; }
}
