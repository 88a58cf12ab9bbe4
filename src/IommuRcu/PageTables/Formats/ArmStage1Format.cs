// The facts of VMSAv8-64 stage 1 tables (Arm DDI 0487, sections D8.2 to D8.5; Arm SMMUv3 IHI 0070).
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>
/// Stage 1 translation of an Arm SMMU: pages, blocks and contiguous runs of one granule, for IOVAs of 25 to 48 bits. Follows the "Arm Architecture
/// Reference Manual for A-profile", DDI 0487, sections D8.2 to D8.5, and the SMMUv3 architecture, IHI 0070.
/// </summary>
/// <remarks>
/// Every page can be read. A page that can be written carries DBM and starts as written to, so that hardware that keeps no dirty state translates it;
/// once made clean, only hardware that updates dirty state (HD in the context descriptor) permits the next write. The same holds of the access flag and HA.
/// Memory types are indexes into <see cref="ArmMemoryTypes.AttributeIndirection"/>. Leaves are not global: a translation belongs to its ASID.
/// </remarks>
/// <typeparam name="TGranule">The translation granule.</typeparam>
public readonly struct ArmStage1Format<TGranule> : IPageTableFormat
    where TGranule : struct, IArmGranule
{
    private const int MemoryTypeShift = 2;
    private const ulong UnprivilegedBit = 1UL << 6;
    private const ulong ReadOnlyBit = 1UL << 7;
    private const ulong NotGlobalBit = 1UL << 11;
    private const ulong DirtyModifierBit = ArmDescriptor<TGranule>.DirtyModifierBit;

    // Bits 53 and 54: neither privileged nor unprivileged.
    private const ulong NeverExecute = 3UL << 53;

    /// <inheritdoc/>
    public static string Name => "Arm VMSAv8-64 stage 1";

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
    public static ulong DirtyMask => DirtyModifierBit | ReadOnlyBit;

    /// <inheritdoc/>
    public static ulong DirtyValue => DirtyModifierBit;

    /// <inheritdoc/>
    public static ulong AccessedMask => ArmDescriptor<TGranule>.AccessFlag;

    /// <inheritdoc/>
    public static ulong TableIdentityMask => ArmDescriptor<TGranule>.TableIdentityMask;

    /// <inheritdoc/>
    public static ulong ReclaimMark => ArmDescriptor<TGranule>.SoftwareBit;

    /// <inheritdoc/>
    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry) =>
        ArmDescriptor<TGranule>.TryGetGeometry(addressBits, out geometry);

    /// <inheritdoc/>
    public static bool Supports(IommuAccess access) =>
        (access & IommuAccess.Read) != 0
        && (access & ~(IommuAccess.Read | IommuAccess.Write | IommuAccess.Execute | IommuAccess.Cacheable | IommuAccess.Mmio)) == 0
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
        IommuAccess.Read
        | ((entry & ReadOnlyBit) == 0 || (entry & DirtyModifierBit) != 0 ? IommuAccess.Write : IommuAccess.None)
        | ((entry & NeverExecute) == 0 ? IommuAccess.Execute : IommuAccess.None)
        | (((entry >> MemoryTypeShift) & 7) switch
        {
            ArmMemoryTypes.WriteBackIndex => IommuAccess.Cacheable,
            ArmMemoryTypes.DeviceIndex => IommuAccess.Mmio,
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
        ArmDescriptor<TGranule>.LeafKind(level, sizeLog2) | NotGlobalBit | UnprivilegedBit
        | ((access & IommuAccess.Write) != 0 ? DirtyModifierBit : ReadOnlyBit)
        | ((access & IommuAccess.Execute) != 0 ? 0 : NeverExecute)
        | ((access & IommuAccess.Cacheable) != 0
            ? (ArmMemoryTypes.WriteBackIndex << MemoryTypeShift) | ArmDescriptor<TGranule>.InnerShareable
            : (((access & IommuAccess.Mmio) != 0 ? ArmMemoryTypes.DeviceIndex : ArmMemoryTypes.NonCacheableIndex) << MemoryTypeShift)
                | ArmDescriptor<TGranule>.OuterShareable);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithDirty(ulong entry) => (entry & DirtyModifierBit) != 0 ? entry & ~ReadOnlyBit : entry;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong WithoutDirty(ulong entry) => entry | ReadOnlyBit;
}
