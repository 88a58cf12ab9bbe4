// The facts of Intel VT-d second-stage tables (VT-d specification 4.x and 5.0, chapter 3.7 and section 9.9).
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>
/// Second-stage translation of Intel VT-d: 4 KiB, 2 MiB and 1 GiB pages; 3, 4 or 5 levels for 39, 48 or 57 bits. There is no present bit: an entry is
/// present when it permits reading or writing. Follows "Intel Virtualization Technology for Directed I/O", sections 3.7 and 9.9.
/// </summary>
public readonly struct VtdSecondStageFormat : IPageTableFormat
{
    private const ulong ReadBit = 1UL << 0;
    private const ulong WriteBit = 1UL << 1;
    private const ulong PageSizeBit = 1UL << 7;
    private const ulong AccessedBit = 1UL << 8;
    private const ulong DirtyBit = 1UL << 9;
    private const ulong SnoopBit = 1UL << 11;
    private const ulong AddressMask = 0x000F_FFFF_FFFF_F000;

    // Bits 52 to 62 of an entry that points to a table are ignored by hardware.
    private const ulong SoftwareBit = 1UL << 52;

    /// <inheritdoc/>
    public static string Name => "VT-d second stage";

    /// <inheritdoc/>
    public static int GranuleLog2 => 12;

    /// <inheritdoc/>
    public static int DefaultAddressBits => 48;

    /// <inheritdoc/>
    public static int PhysicalAddressBits => 52;

    /// <inheritdoc/>
    public static ulong PageSizes => (1UL << 12) | (1UL << 21) | (1UL << 30);

    /// <inheritdoc/>
    public static ulong DirtyMask => DirtyBit;

    /// <inheritdoc/>
    public static ulong DirtyValue => DirtyBit;

    /// <inheritdoc/>
    public static ulong AccessedMask => AccessedBit;

    /// <inheritdoc/>
    public static ulong TableAccessedMask => AccessedBit;

    /// <inheritdoc/>
    public static ulong TableIdentityMask => AddressMask | PageSizeBit | ReadBit | WriteBit;

    /// <inheritdoc/>
    public static ulong ReclaimMark => SoftwareBit;

    /// <inheritdoc/>
    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry)
    {
        int levels = addressBits switch
        {
            < 30 or > 57 => 0,
            <= 39 => 3,
            <= 48 => 4,
            _ => 5,
        };
        geometry = new PageTableGeometry(levels, 9);
        return levels != 0;
    }

    /// <inheritdoc/>
    public static bool Supports(IommuAccess access) =>
        (access & (IommuAccess.Read | IommuAccess.Write)) != 0
        && (access & ~(IommuAccess.Read | IommuAccess.Write | IommuAccess.Cacheable)) == 0;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsTable(ulong entry, int level) => (entry & (PageSizeBit | ReadBit | WriteBit)) - 1 < (ReadBit | WriteBit);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLeaf(ulong entry, int level) =>
        (entry & (ReadBit | WriteBit)) != 0 && (level == 0 || (entry & PageSizeBit) != 0);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong entry) => entry & AddressMask;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafAddress(ulong entry) => entry & AddressMask;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafSizeLog2(ulong entry, int level) => 12 + (9 * level);

    /// <inheritdoc/>
    public static IommuAccess Access(ulong entry, int level) =>
        (IommuAccess)(entry & (ReadBit | WriteBit)) | ((entry & SnoopBit) != 0 ? IommuAccess.Cacheable : IommuAccess.None);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableEntry(ulong address, int level) => address | ReadBit | WriteBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong AddressField(ulong address) => address;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access) =>
        ((ulong)access & (ReadBit | WriteBit))
        | ((access & IommuAccess.Cacheable) != 0 ? SnoopBit : 0)
        | (level != 0 ? PageSizeBit : 0);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithDirty(ulong entry) => entry | DirtyBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithoutDirty(ulong entry) => entry & ~DirtyBit;
}
