// Second-stage entries as VT-d hardware reads them ("Intel Virtualization Technology for Directed I/O", sections 3.7 and 9.9).
using System.Runtime.CompilerServices;

namespace IommuRcu.Emulation;

/// <summary>VT-d's second stage: 4 KiB, 2 MiB, 1 GiB; accessed and dirty bits enabled, transient mappings and memory types not.</summary>
internal readonly struct VtdSecondStageDecoder : IEntryDecoder
{
    public static int GranuleLog2 => 12;

    public static bool SignExtended => false;

    public static ulong TableTouch => 0x100; // A, bit 8

    public static int RootIndexBits(int addressBits, int levels) => 9;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedEntry Decode(ulong entry, int level)
    {
        // Bits 1:0 are W and R; there is no present bit.
        ulong rights = entry & 3;
        if (rights == 0)
        {
            return DecodedEntry.Hole;
        }

        // Bit 62 is TM, reserved without Device-TLBs; bit 11 is SNP, reserved above the leaves.
        ulong address = entry & 0x000F_FFFF_FFFF_F000;
        bool pageSize = (entry & 0x80) != 0;
        if ((entry & 0x4000_0000_0000_0000) != 0 || (pageSize && level > 2))
        {
            return DecodedEntry.Reserved;
        }

        if (level > 0 && !pageSize)
        {
            return (entry & 0x800) != 0 ? DecodedEntry.Reserved : DecodedEntry.Table(address, level - 1, rights);
        }

        int sizeLog2 = 12 + (9 * level);
        return (address & ((1UL << sizeLog2) - 1)) != 0 ? DecodedEntry.Reserved : DecodedEntry.Leaf(address, sizeLog2, rights);
    }

    // A is bit 8, D bit 9.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Touch(ulong entry, bool write) => entry | (write ? 0x300UL : 0x100UL);
}
