// VMSAv8-64 descriptors as an SMMU reads them, with hardware update of access flag and dirty state (Arm DDI 0487, sections D8.3 to D8.6; IHI 0070).
using System.Runtime.CompilerServices;

namespace IommuRcu.Emulation;

/// <summary>What the stages differ in.</summary>
internal interface IArmStage
{
    /// <summary>Returns what a table descriptor lets pass.</summary>
    static abstract ulong TableRights(ulong descriptor);

    /// <summary>Returns what a page or block descriptor lets pass.</summary>
    static abstract ulong LeafRights(ulong descriptor);

    /// <summary>Returns a descriptor with the dirty bit modifier as it is behind a write.</summary>
    static abstract ulong Written(ulong descriptor);
}

/// <summary>log2 of a granule's bytes.</summary>
internal interface IArmGranuleSize
{
    static abstract int Log2 { get; }
}

/// <summary>One stage with one granule. Output addresses have 48 bits; what is RES0 is refused.</summary>
internal readonly struct ArmDecoder<TStage, TGranule> : IEntryDecoder
    where TStage : struct, IArmStage
    where TGranule : struct, IArmGranuleSize
{
    private const ulong DirtyModifier = 1UL << 51;
    private const ulong AccessFlag = 1UL << 10;

    public static int GranuleLog2 => TGranule.Log2;

    public static bool SignExtended => false;

    public static ulong TableTouch => 0;

    public static bool RunsHoldOwnAddresses => true;

    // The first table takes what the levels below leave of the width: fewer entries than another, or, where tables are concatenated, up to 16 times as many.
    public static int RootIndexBits(int addressBits, int levels) => addressBits - TGranule.Log2 - ((TGranule.Log2 - 3) * (levels - 1));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedEntry Decode(ulong descriptor, int level)
    {
        bool tableOrPage = (descriptor & 2) != 0;
        if ((descriptor & 1) == 0)
        {
            return DecodedEntry.Hole;
        }

        ulong address = descriptor & 0x0000_FFFF_FFFF_F000;
        if (level > 0 && tableOrPage)
        {
            // 51:48 and what is below a table's size are RES0.
            return (descriptor & 0x000F_0000_0000_0000) != 0 || (address & ((1UL << TGranule.Log2) - 1)) != 0
                ? DecodedEntry.Reserved
                : DecodedEntry.Table(address, level - 1, TStage.TableRights(descriptor));
        }

        // 01 is reserved for pages, and blocks stand at Arm's level 2, with 4 KiB granules at 1 as well: anything else is invalid, like a hole.
        if (level == 0 ? !tableOrPage : level > (TGranule.Log2 == 12 ? 2 : 1))
        {
            return DecodedEntry.Hole;
        }

        int itemLog2 = TGranule.Log2 + ((TGranule.Log2 - 3) * level);
        if ((descriptor & 0x0007_0000_0000_0000) != 0 || (address & ((1UL << itemLog2) - 1)) != 0)
        {
            return DecodedEntry.Reserved;
        }

        // Contiguous, bit 52: one TLB entry for the whole run, whichever of its descriptors was read.
        int runLog2 = (descriptor & (1UL << 52)) == 0 ? 0 : TGranule.Log2 == 12 ? 4 : TGranule.Log2 == 14 && level == 0 ? 7 : 5;
        return DecodedEntry.Leaf(address, itemLog2 + runLog2, TStage.LeafRights(descriptor));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Touch(ulong descriptor, bool write)
        => (write && (descriptor & DirtyModifier) != 0 ? TStage.Written(descriptor) : descriptor) | AccessFlag;
}

/// <summary>Stage 1, for accesses without privilege.</summary>
internal readonly struct ArmStage1 : IArmStage
{
    // APTable, bits 62:61: read-only from here on; none without privilege.
    public static ulong TableRights(ulong descriptor)
        => (descriptor & (1UL << 61)) != 0 ? 0
            : (descriptor & (1UL << 62)) != 0 ? DecodedEntry.CanRead : DecodedEntry.CanRead | DecodedEntry.CanWrite;

    // AP[1], bit 6: access without privilege. AP[2], bit 7: read-only, unless DBM says that hardware clears it at the first write.
    public static ulong LeafRights(ulong descriptor)
        => (descriptor & (1UL << 6)) == 0 ? 0
            : (descriptor & ((1UL << 51) | (1UL << 7))) == 1UL << 7 ? DecodedEntry.CanRead : DecodedEntry.CanRead | DecodedEntry.CanWrite;

    public static ulong Written(ulong descriptor) => descriptor & ~(1UL << 7);
}

/// <summary>Stage 2.</summary>
internal readonly struct ArmStage2 : IArmStage
{
    public static ulong TableRights(ulong descriptor) => DecodedEntry.CanRead | DecodedEntry.CanWrite;

    // S2AP, bits 7:6: write, read. With DBM hardware sets the former at the first write.
    public static ulong LeafRights(ulong descriptor)
        => ((descriptor >> 6) & 3) | ((descriptor & (1UL << 51)) != 0 ? DecodedEntry.CanWrite : 0);

    public static ulong Written(ulong descriptor) => descriptor | (1UL << 7);
}

/// <summary>4 KiB.</summary>
internal readonly struct Arm4K : IArmGranuleSize
{
    public static int Log2 => 12;
}

/// <summary>16 KiB.</summary>
internal readonly struct Arm16K : IArmGranuleSize
{
    public static int Log2 => 14;
}

/// <summary>64 KiB.</summary>
internal readonly struct Arm64K : IArmGranuleSize
{
    public static int Log2 => 16;
}
