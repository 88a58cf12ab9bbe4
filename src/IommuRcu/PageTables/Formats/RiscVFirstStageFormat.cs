// The facts of RISC-V first-stage tables: Sv39, Sv48 and Sv57 (RISC-V privileged architecture; RISC-V IOMMU architecture 1.0, section 3.3).
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>
/// First-stage translation of a RISC-V IOMMU: Sv39, Sv48 and Sv57, sign-extended; leaves at every level, and 64 KiB pages of 16 identical entries where
/// hardware has Svnapot. Follows the RISC-V privileged architecture, chapters Sv39, Sv48, Sv57, Svnapot and Svpbmt, and the RISC-V IOMMU architecture 1.0.
/// </summary>
/// <remarks>
/// A mapping starts accessed, and dirty where it can be written: hardware that does not update the two itself faults where they are clear. Leaves are
/// user pages, as devices access in user mode. <see cref="IommuAccess.Mmio"/> is the I/O type of Svpbmt; without it memory is as its physical attributes say.
/// </remarks>
public readonly struct RiscVFirstStageFormat : IPageTableFormat
{
    /// <inheritdoc/>
    public static string Name => "RISC-V first stage";

    /// <inheritdoc/>
    public static int GranuleLog2 => 12;

    /// <inheritdoc/>
    public static int DefaultAddressBits => 48;

    /// <inheritdoc/>
    public static int PhysicalAddressBits => 56;

    /// <inheritdoc/>
    public static ulong PageSizes => RiscVEntry.PageSizes;

    /// <inheritdoc/>
    public static bool SignExtended => true;

    /// <inheritdoc/>
    public static bool RunsAreIdentical => true;

    /// <inheritdoc/>
    public static ulong DirtyMask => RiscVEntry.DirtyBit;

    /// <inheritdoc/>
    public static ulong DirtyValue => RiscVEntry.DirtyBit;

    /// <inheritdoc/>
    public static ulong AccessedMask => RiscVEntry.AccessedBit;

    /// <inheritdoc/>
    public static ulong TableIdentityMask => RiscVEntry.TableIdentityMask;

    /// <inheritdoc/>
    public static ulong ReclaimMark => RiscVEntry.SoftwareBit;

    /// <inheritdoc/>
    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry)
    {
        // Hardware compares the bits above the width with its highest bit: no width between them is one that it can check.
        geometry = addressBits switch
        {
            39 => new PageTableGeometry(3, 9),
            48 => new PageTableGeometry(4, 9),
            57 => new PageTableGeometry(5, 9),
            _ => default,
        };
        return geometry.Levels != 0;
    }

    /// <inheritdoc/>
    public static bool Supports(IommuAccess access) => RiscVEntry.Supports(access);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsTable(ulong entry, int level) => RiscVEntry.IsTable(entry);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLeaf(ulong entry, int level) => RiscVEntry.IsLeaf(entry);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong entry) => RiscVEntry.Address(entry);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafAddress(ulong entry) => RiscVEntry.Address(entry);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafSizeLog2(ulong entry, int level) => RiscVEntry.LeafSizeLog2(entry, level);

    /// <inheritdoc/>
    public static IommuAccess Access(ulong entry, int level) => RiscVEntry.Access(entry);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableEntry(ulong address, int level) => RiscVEntry.AddressField(address) | RiscVEntry.ValidBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong AddressField(ulong address) => RiscVEntry.AddressField(address);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access) => RiscVEntry.LeafAttributes(sizeLog2, access);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithDirty(ulong entry) => entry | RiscVEntry.DirtyBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithoutDirty(ulong entry) => entry & ~RiscVEntry.DirtyBit;
}
