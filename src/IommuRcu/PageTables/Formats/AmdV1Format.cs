// The facts of AMD's own host page tables, version 1 (AMD I/O Virtualization Technology specification 48882, section 2.2.3).
using System.Numerics;
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>
/// Host translation of an AMD IOMMU, version 1: modes 3 to 6 (a mode is the number of levels), pages of every power of two from 4 KiB to 2 PiB but
/// 512 GiB, and a root that grows while mapped. Follows "AMD I/O Virtualization Technology (IOMMU) Specification", 48882, section 2.2.3.
/// </summary>
/// <remarks>
/// A page of a size between those of two levels is a run of identical entries whose next-level field is 7 and whose low address bits hold the size: a
/// zero below a string of ones, at bit <c>log2(size) - 1</c>. Hardware may set the dirty bit in any of them. Pages of 512 GiB are left out: they are the one
/// power of two that shipped hardware gets wrong. <see cref="IommuAccess.Cacheable"/> is the force-coherent bit.
/// </remarks>
public readonly struct AmdV1Format : IPageTableFormat
{
    private const ulong PresentBit = 1UL << 0;
    private const ulong AccessedBit = 1UL << 5;
    private const ulong DirtyBit = 1UL << 6;
    private const int NextLevelShift = 9;
    private const ulong NextLevelMask = 7UL << NextLevelShift;
    private const ulong CodedSize = 7UL << NextLevelShift;
    private const ulong AddressMask = 0x000F_FFFF_FFFF_F000;
    private const ulong ForceCoherentBit = 1UL << 60;
    private const ulong ReadBit = 1UL << 61;
    private const ulong WriteBit = 1UL << 62;
    private const int AccessShift = 61;

    // Bits 1 to 4 of a page directory entry are ignored in every revision of the specification.
    private const ulong SoftwareBit = 1UL << 1;

    /// <inheritdoc/>
    public static string Name => "AMD v1";

    /// <inheritdoc/>
    public static int GranuleLog2 => 12;

    /// <inheritdoc/>
    public static int DefaultAddressBits => 48;

    /// <inheritdoc/>
    public static int PhysicalAddressBits => 52;

    /// <inheritdoc/>
    public static ulong PageSizes => ((1UL << 52) - (1UL << 12)) & ~(1UL << 39);

    /// <inheritdoc/>
    public static int GrowsFromLevels => 3;

    /// <inheritdoc/>
    public static bool RunsAreIdentical => true;

    /// <inheritdoc/>
    public static ulong DirtyMask => DirtyBit;

    /// <inheritdoc/>
    public static ulong DirtyValue => DirtyBit;

    /// <inheritdoc/>
    public static ulong AccessedMask => AccessedBit;

    /// <inheritdoc/>
    public static ulong TableIdentityMask => AddressMask | NextLevelMask | PresentBit;

    /// <inheritdoc/>
    public static ulong ReclaimMark => SoftwareBit;

    /// <inheritdoc/>
    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry)
    {
        // The table of level 6 translates bits 63 to 57: 128 entries.
        geometry = addressBits switch
        {
            < 30 or > 64 => default,
            <= 39 => new PageTableGeometry(3, 9),
            <= 48 => new PageTableGeometry(4, 9),
            <= 57 => new PageTableGeometry(5, 9),
            _ => new PageTableGeometry(6, 7),
        };
        return geometry.Levels != 0;
    }

    /// <inheritdoc/>
    public static bool Supports(IommuAccess access) =>
        (access & (IommuAccess.Read | IommuAccess.Write)) != 0
        && (access & ~(IommuAccess.Read | IommuAccess.Write | IommuAccess.Cacheable)) == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsTable(ulong entry, int level) =>
        (entry & (NextLevelMask | PresentBit)) == (((ulong)(uint)level << NextLevelShift) | PresentBit);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLeaf(ulong entry, int level) =>
        (entry & PresentBit) != 0 && (((entry >> NextLevelShift) + 1) & 7) <= 1; // next level 7 (a coded size) or 0 (the level's own)

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong entry) => entry & AddressMask;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafAddress(ulong entry) => entry & AddressMask;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafSizeLog2(ulong entry, int level) =>
        (entry & NextLevelMask) == CodedSize
            ? BitOperations.TrailingZeroCount(~(entry | 0xFFF)) + 1
            : 12 + (9 * level);

    /// <inheritdoc/>
    public static IommuAccess Access(ulong entry, int level) =>
        (IommuAccess)((entry >> AccessShift) & 3) | ((entry & ForceCoherentBit) != 0 ? IommuAccess.Cacheable : IommuAccess.None);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableEntry(ulong address, int level) =>
        address | ReadBit | WriteBit | ((ulong)(uint)level << NextLevelShift) | PresentBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong AddressField(ulong address) => address;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access)
    {
        ulong attributes = (((ulong)access & 3) << AccessShift)
            | ((access & IommuAccess.Cacheable) != 0 ? ForceCoherentBit : 0)
            | PresentBit;

        // Ones from bit 12 up to the one below bit log2(size) - 1: none for 8 KiB.
        return sizeLog2 == 12 + (9 * level) ? attributes : attributes | CodedSize | ((1UL << (sizeLog2 - 1)) - (1UL << 12));
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithDirty(ulong entry) => entry | DirtyBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithoutDirty(ulong entry) => entry & ~DirtyBit;
}
