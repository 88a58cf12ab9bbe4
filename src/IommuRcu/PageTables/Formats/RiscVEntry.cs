// An entry of a RISC-V page table, which both stages share (RISC-V privileged architecture, chapters Sv39, Svnapot, Svpbmt).
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>The meaning of a RISC-V page-table entry: the same in the first stage and in the second.</summary>
internal static class RiscVEntry
{
    internal const ulong ValidBit = 1UL << 0;
    internal const ulong ReadBit = 1UL << 1;
    internal const ulong WriteBit = 1UL << 2;
    internal const ulong ExecuteBit = 1UL << 3;
    internal const ulong UserBit = 1UL << 4;
    internal const ulong AccessedBit = 1UL << 6;
    internal const ulong DirtyBit = 1UL << 7;
    internal const ulong PageNumberMask = 0x003F_FFFF_FFFF_FC00;

    /// <summary>Svpbmt: type 2 in bits 62 and 61 is non-cacheable, strongly ordered I/O; 0 leaves it to the physical memory attributes.</summary>
    internal const ulong InputOutputBit = 1UL << 62;

    /// <summary>Svnapot: the page number's low bits hold the size.</summary>
    internal const ulong NaturalPowerOfTwoBit = 1UL << 63;

    /// <summary>Bits 8 and 9 are reserved for software in every valid entry.</summary>
    internal const ulong SoftwareBit = 1UL << 8;

    /// <summary>The identity of a table: valid, no permission, and the page number.</summary>
    internal const ulong TableIdentityMask = PageNumberMask | ExecuteBit | WriteBit | ReadBit | ValidBit;

    /// <summary>Svnapot knows one size: 64 KiB, with 1000 in the page number's low bits.</summary>
    internal const int ContiguousSizeLog2 = 16;

    /// <summary>Pages of every level up to Sv57's root, and the one contiguous size.</summary>
    internal const ulong PageSizes =
        (1UL << 12) | (1UL << ContiguousSizeLog2) | (1UL << 21) | (1UL << 30) | (1UL << 39) | (1UL << 48);

    private const ulong ContiguousSizeCode = 1UL << 13;
    private const ulong PermissionMask = ExecuteBit | WriteBit | ReadBit;

    // Page number at bit 10, page offset of 12 bits: an address stands two bits lower in an entry.
    private const int AddressShift = 2;

    internal static bool Supports(IommuAccess access)
    {
        const IommuAccess Permissions = IommuAccess.Read | IommuAccess.Write | IommuAccess.Execute;
        IommuAccess permissions = access & Permissions;
        bool writeOnly = (permissions & (IommuAccess.Read | IommuAccess.Write)) == IommuAccess.Write; // reserved encodings
        return permissions != 0 && !writeOnly && (access & ~Permissions) switch
        {
            IommuAccess.None => true,
            IommuAccess.Mmio => (permissions & IommuAccess.Execute) == 0,
            _ => false,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsTable(ulong entry) => (entry & (PermissionMask | ValidBit)) == ValidBit;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsLeaf(ulong entry) => (entry & ValidBit) != 0 && (entry & PermissionMask) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Address(ulong entry) => (entry & PageNumberMask) << AddressShift;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong AddressField(ulong address) => address >> AddressShift;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int LeafSizeLog2(ulong entry, int level) =>
        (entry & NaturalPowerOfTwoBit) != 0 ? ContiguousSizeLog2 : 12 + (9 * level);

    internal static IommuAccess Access(ulong entry) =>
        ((entry & ReadBit) != 0 ? IommuAccess.Read : IommuAccess.None)
        | ((entry & WriteBit) != 0 ? IommuAccess.Write : IommuAccess.None)
        | ((entry & ExecuteBit) != 0 ? IommuAccess.Execute : IommuAccess.None)
        | ((entry & InputOutputBit) != 0 ? IommuAccess.Mmio : IommuAccess.None);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong LeafAttributes(int sizeLog2, IommuAccess access) =>
        AccessedBit | UserBit | ValidBit
        | ((access & IommuAccess.Read) != 0 ? ReadBit : 0)
        | ((access & IommuAccess.Write) != 0 ? DirtyBit | WriteBit : 0)
        | ((access & IommuAccess.Execute) != 0 ? ExecuteBit : 0)
        | ((access & IommuAccess.Mmio) != 0 ? InputOutputBit : 0)
        | (sizeLog2 == ContiguousSizeLog2 ? NaturalPowerOfTwoBit | ContiguousSizeCode : 0);
}
