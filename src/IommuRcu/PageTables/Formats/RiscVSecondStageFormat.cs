// The facts of RISC-V second-stage tables: Sv39x4, Sv48x4 and Sv57x4 (RISC-V privileged architecture, hypervisor extension; IOMMU architecture 1.0).
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>
/// Second-stage translation of a RISC-V IOMMU: Sv39x4, Sv48x4 and Sv57x4 for 41, 50 and 59 bits, whose root is 16 KiB; leaves at every level, and 64 KiB
/// pages of 16 identical entries where hardware has Svnapot. Follows the RISC-V privileged architecture, chapter "Two-stage address translation" of the
/// hypervisor extension, chapters Svnapot and Svpbmt, and the RISC-V IOMMU architecture 1.0.
/// </summary>
/// <remarks>
/// A mapping starts accessed, and dirty where it can be written: hardware that does not update the two itself faults where they are clear. Leaves are
/// user pages: the second stage checks every access as one of user mode. <see cref="IommuAccess.Mmio"/> is the I/O type of Svpbmt.
/// </remarks>
public readonly struct RiscVSecondStageFormat : IPageTableFormat
{
    /// <inheritdoc/>
    public static string Name => "RISC-V second stage";

    /// <inheritdoc/>
    public static int GranuleLog2 => 12;

    /// <inheritdoc/>
    public static int DefaultAddressBits => 50;

    /// <inheritdoc/>
    public static int PhysicalAddressBits => 56;

    /// <inheritdoc/>
    public static ulong PageSizes => RiscVEntry.PageSizes;

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
        // The root has four times the entries of another table: 2 more bits of address.
        geometry = addressBits switch
        {
            < 30 or > 59 => default,
            <= 41 => new PageTableGeometry(3, 11),
            <= 50 => new PageTableGeometry(4, 11),
            _ => new PageTableGeometry(5, 11),
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
