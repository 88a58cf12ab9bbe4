// The facts of VMSAv8-64 stage 2 tables (Arm DDI 0487, sections D8.2 to D8.5; Arm SMMUv3 IHI 0070).
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>
/// Stage 2 translation of an Arm SMMU: pages, blocks and contiguous runs of one granule, for IOVAs of 25 to 48 bits; up to 16 tables side by side in
/// place of a root that would have no more entries. Follows the "Arm Architecture Reference Manual for A-profile", DDI 0487, sections D8.2 to D8.5, and the SMMUv3
/// architecture, IHI 0070.
/// </summary>
/// <remarks>
/// A page that can be written carries DBM and starts as written to, so that hardware that keeps no dirty state translates it; once made clean, only
/// hardware that updates dirty state (S2HD in the stream table entry) permits the next write. The same holds of the access flag and S2HA.
/// </remarks>
/// <typeparam name="TGranule">The translation granule.</typeparam>
public readonly struct ArmStage2Format<TGranule> : IPageTableFormat
    where TGranule : struct, IArmGranule
{
    private const ulong MemoryTypeMask = 0xFUL << 2;
    private const ulong WriteBack = 0xFUL << 2;
    private const ulong NonCacheable = 0x5UL << 2;
    private const ulong Device = 0x1UL << 2; // nGnRE
    private const ulong ReadBit = 1UL << 6;
    private const ulong WriteBit = 1UL << 7;
    private const ulong NeverExecute = 1UL << 54;
    private const ulong DirtyModifierBit = ArmDescriptor<TGranule>.DirtyModifierBit;

    /// <inheritdoc/>
    public static string Name => "Arm VMSAv8-64 stage 2";

    /// <inheritdoc/>
    public static int GranuleLog2 => TGranule.SizeLog2;

    /// <inheritdoc/>
    public static int DefaultAddressBits => 48;

    /// <inheritdoc/>
    public static int PhysicalAddressBits => ArmDescriptor<TGranule>.AddressBits;

    /// <inheritdoc/>
    public static ulong PageSizes => ArmDescriptor<TGranule>.PageSizes;

    /// <inheritdoc/>
    public static bool NeedsBreakBeforeMake => true;

    /// <inheritdoc/>
    public static ulong DirtyMask => DirtyModifierBit | WriteBit;

    /// <inheritdoc/>
    public static ulong DirtyValue => DirtyModifierBit | WriteBit;

    /// <inheritdoc/>
    public static ulong AccessedMask => ArmDescriptor<TGranule>.AccessFlag;

    /// <inheritdoc/>
    public static ulong TableIdentityMask => ArmDescriptor<TGranule>.TableIdentityMask;

    /// <inheritdoc/>
    public static ulong ReclaimMark => ArmDescriptor<TGranule>.SoftwareBit;

    /// <inheritdoc/>
    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry)
    {
        if (!ArmDescriptor<TGranule>.TryGetGeometry(addressBits, out geometry))
        {
            return false;
        }

        // A root of 16 entries or fewer gives way to that many tables of the level below, side by side: one step less in every walk, and the only form
        // that some widths have (48 bits of 16 KiB granules). Not so where one level would be left: starting at the last one is an extension.
        if (geometry is { Levels: > 2, RootIndexBits: <= 4 })
        {
            geometry = new PageTableGeometry(geometry.Levels - 1, geometry.RootIndexBits + TGranule.SizeLog2 - 3);
        }

        return true;
    }

    /// <inheritdoc/>
    public static bool Supports(IommuAccess access) =>
        (access & (IommuAccess.Read | IommuAccess.Write)) != 0
        && (access & ~(IommuAccess.Read | IommuAccess.Write | IommuAccess.Execute | IommuAccess.Cacheable | IommuAccess.Mmio)) == 0
        && (access & (IommuAccess.Read | IommuAccess.Execute)) != IommuAccess.Execute // instructions are fetched from readable pages only
        && ArmDescriptor<TGranule>.IsMemoryTypeConsistent(access);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsTable(ulong entry, int level) => ArmDescriptor<TGranule>.IsTable(entry);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsLeaf(ulong entry, int level) => ArmDescriptor<TGranule>.IsLeaf(entry, level);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong entry) => entry & ArmDescriptor<TGranule>.AddressMask;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafAddress(ulong entry) => entry & ArmDescriptor<TGranule>.AddressMask;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafSizeLog2(ulong entry, int level) => ArmDescriptor<TGranule>.LeafSizeLog2(entry, level);

    /// <inheritdoc/>
    public static IommuAccess Access(ulong entry, int level) =>
        ((entry & ReadBit) != 0 ? IommuAccess.Read : IommuAccess.None)
        | ((entry & (DirtyModifierBit | WriteBit)) != 0 ? IommuAccess.Write : IommuAccess.None)
        | ((entry & NeverExecute) == 0 && (entry & ReadBit) != 0 ? IommuAccess.Execute : IommuAccess.None)
        | ((entry & MemoryTypeMask) switch
        {
            WriteBack => IommuAccess.Cacheable,
            Device => IommuAccess.Mmio,
            _ => IommuAccess.None,
        });

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableEntry(ulong address, int level) =>
        address | ArmDescriptor<TGranule>.TableOrPageBit | ArmDescriptor<TGranule>.ValidBit;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong AddressField(ulong address) => address;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access) =>
        ArmDescriptor<TGranule>.LeafKind(level, sizeLog2)
        | ((access & IommuAccess.Read) != 0 ? ReadBit : 0)
        | ((access & IommuAccess.Write) != 0 ? DirtyModifierBit | WriteBit : 0)
        | ((access & IommuAccess.Execute) != 0 ? 0 : NeverExecute)
        | ((access & IommuAccess.Cacheable) != 0
            ? WriteBack | ArmDescriptor<TGranule>.InnerShareable
            : ((access & IommuAccess.Mmio) != 0 ? Device : NonCacheable) | ArmDescriptor<TGranule>.OuterShareable);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithDirty(ulong entry) => (entry & DirtyModifierBit) != 0 ? entry | WriteBit : entry;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithoutDirty(ulong entry) => entry & ~WriteBit;
}
