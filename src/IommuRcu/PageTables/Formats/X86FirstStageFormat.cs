// The facts of x86-64 paging as an IOMMU's first stage (Intel SDM volume 3A chapter 4; VT-d sections 3.6 and 9.8; AMD APM volume 2 chapter 5).
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>
/// First-stage translation in the processor's own format: 4 KiB, 2 MiB and 1 GiB pages; 4 or 5 levels for 48 or 57 bits, sign-extended. Follows "Intel
/// Virtualization Technology for Directed I/O", sections 3.6 and 9.8, and the "AMD64 Architecture Programmer's Manual", volume 2, chapter 5.
/// </summary>
/// <remarks>
/// Every page can be read. A mapping starts accessed, and dirty where it can be written, so that hardware that keeps neither state still translates. The
/// execute-disable bit is never set, as it is reserved unless the PASID-table entry enables it: execute requests are governed by that entry, and
/// <see cref="IommuAccess.Execute"/> cannot be asked for; nor can memory types, which platforms take from elsewhere.
/// </remarks>
public readonly struct X86FirstStageFormat : IPageTableFormat
{
    private const ulong PresentBit = 1UL << 0;
    private const ulong WriteBit = 1UL << 1;
    private const ulong UserBit = 1UL << 2;
    private const ulong AccessedBit = 1UL << 5;
    private const ulong DirtyBit = 1UL << 6;
    private const ulong PageSizeBit = 1UL << 7;
    private const ulong AddressMask = 0x000F_FFFF_FFFF_F000;

    // Bits 52 to 58 are ignored by Intel and AMD alike, in tables and in leaves. (Bit 10 is VT-d's extended-accessed flag in some modes.)
    private const ulong SoftwareBit = 1UL << 52;

    /// <inheritdoc/>
    public static string Name => "x86-64 first stage";

    /// <inheritdoc/>
    public static int GranuleLog2 => 12;

    /// <inheritdoc/>
    public static int DefaultAddressBits => 48;

    /// <inheritdoc/>
    public static int PhysicalAddressBits => 52;

    /// <inheritdoc/>
    public static ulong PageSizes => (1UL << 12) | (1UL << 21) | (1UL << 30);

    /// <inheritdoc/>
    public static bool SignExtended => true;

    /// <inheritdoc/>
    public static ulong DirtyMask => DirtyBit;

    /// <inheritdoc/>
    public static ulong DirtyValue => DirtyBit;

    /// <inheritdoc/>
    public static ulong AccessedMask => AccessedBit;

    /// <inheritdoc/>
    public static ulong TableAccessedMask => AccessedBit;

    /// <inheritdoc/>
    public static ulong TableIdentityMask => AddressMask | PageSizeBit | PresentBit;

    /// <inheritdoc/>
    public static ulong ReclaimMark => SoftwareBit;

    /// <inheritdoc/>
    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry)
    {
        // Hardware compares the bits above the width with its highest bit: no width between the two is one that it can check.
        geometry = addressBits switch
        {
            48 => new PageTableGeometry(4, 9),
            57 => new PageTableGeometry(5, 9),
            _ => default,
        };
        return geometry.Levels != 0;
    }

    /// <inheritdoc/>
    public static bool Supports(IommuAccess access) => access is IommuAccess.Read or (IommuAccess.Read | IommuAccess.Write);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsTable(ulong entry, int level) => (entry & (PageSizeBit | PresentBit)) == PresentBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLeaf(ulong entry, int level) =>
        (entry & PresentBit) != 0 && (level == 0 || (entry & PageSizeBit) != 0);

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
        IommuAccess.Read | ((entry & WriteBit) != 0 ? IommuAccess.Write : IommuAccess.None);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableEntry(ulong address, int level) => address | AccessedBit | UserBit | WriteBit | PresentBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong AddressField(ulong address) => address;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access) =>
        AccessedBit | UserBit | PresentBit
        | ((access & IommuAccess.Write) != 0 ? DirtyBit | WriteBit : 0)
        | (level != 0 ? PageSizeBit : 0);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithDirty(ulong entry) => entry | DirtyBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithoutDirty(ulong entry) => entry & ~DirtyBit;
}
