// A VMSAv8-64 descriptor as far as both stages agree on it (Arm DDI 0487, section D8.3).
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>The part of a VMSAv8-64 descriptor that is the same in both stages: kind, address, size, contiguous run, access flag.</summary>
/// <typeparam name="TGranule">The translation granule.</typeparam>
internal static class ArmDescriptor<TGranule>
    where TGranule : struct, IArmGranule
{
    internal const ulong ValidBit = 1UL << 0;
    internal const ulong TableOrPageBit = 1UL << 1;
    internal const ulong AccessFlag = 1UL << 10;
    internal const ulong DirtyModifierBit = 1UL << 51;
    internal const ulong ContiguousBit = 1UL << 52;

    /// <summary>Inner shareable; outer shareable is 2, for memory that is not cached.</summary>
    internal const ulong InnerShareable = 3UL << 8;
    internal const ulong OuterShareable = 2UL << 8;

    /// <summary>
    /// Bits 56 to 58 of a table descriptor are ignored in either stage. (Bit 55 is not in the second stage of the Realm state; bit 10 is an access flag
    /// where hardware keeps one for tables.)
    /// </summary>
    internal const ulong SoftwareBit = 1UL << 56;

    /// <summary>Descriptors hold bits 47 and below, unless large physical addresses are switched on: they are not.</summary>
    internal const int AddressBits = 48;

    private static int IndexBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TGranule.SizeLog2 - 3;
    }

    internal static ulong AddressMask
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (1UL << AddressBits) - (1UL << TGranule.SizeLog2);
    }

    internal static ulong TableIdentityMask
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => AddressMask | TableOrPageBit | ValidBit;
    }

    internal static ulong PageSizes
    {
        get
        {
            int block = TGranule.SizeLog2 + IndexBits;
            ulong sizes = (1UL << TGranule.SizeLog2) | (1UL << (TGranule.SizeLog2 + TGranule.PageRunLog2))
                | (1UL << block) | (1UL << (block + TGranule.BlockRunLog2));
            return TGranule.HighestLeafLevel > 1 ? sizes | (1UL << (block + IndexBits)) : sizes;
        }
    }

    /// <summary>Gets the least depth for a width; the root holds what is left over of the index, and is smaller than other tables for it.</summary>
    internal static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry)
    {
        // A region has 25 bits at least (TnSZ of 39 at most), and 48 at most without large addresses.
        if (addressBits is < 25 or > AddressBits)
        {
            geometry = default;
            return false;
        }

        int indexed = addressBits - TGranule.SizeLog2;
        int levels = (indexed + IndexBits - 1) / IndexBits;
        geometry = new PageTableGeometry(levels, indexed - (IndexBits * (levels - 1)));
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsTable(ulong entry) => (entry & (TableOrPageBit | ValidBit)) == (TableOrPageBit | ValidBit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsLeaf(ulong entry, int level) =>
        (entry & (TableOrPageBit | ValidBit)) == (level == 0 ? TableOrPageBit | ValidBit : ValidBit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int LeafSizeLog2(ulong entry, int level)
    {
        int item = TGranule.SizeLog2 + (IndexBits * level);
        return (entry & ContiguousBit) == 0 ? item
            : level == 0 ? item + TGranule.PageRunLog2
            : level == 1 ? item + TGranule.BlockRunLog2
            : item; // only a hint: above level 1 no runs are built
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong LeafKind(int level, int sizeLog2) =>
        ValidBit | AccessFlag
        | (level == 0 ? TableOrPageBit : 0)
        | (sizeLog2 != TGranule.SizeLog2 + (IndexBits * level) ? ContiguousBit : 0);

    /// <summary>Says whether an access names at most one memory type, and does not fetch instructions from device memory.</summary>
    internal static bool IsMemoryTypeConsistent(IommuAccess access) =>
        (access & IommuAccess.Mmio) == 0 || (access & (IommuAccess.Cacheable | IommuAccess.Execute)) == 0;
}
