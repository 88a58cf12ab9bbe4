// Host page-table entries as an AMD IOMMU reads them ("AMD I/O Virtualization Technology (IOMMU) Specification", 48882, section 2.2.3).
using System.Runtime.CompilerServices;

namespace IommuRcu.Emulation;

/// <summary>AMD v1: a next level may skip some, 0 is a page of the level's size, 7 one whose size stands in its low address bits.</summary>
internal readonly struct AmdV1Decoder : IEntryDecoder
{
    public static int GranuleLog2 => 12;

    public static bool SignExtended => false;

    public static ulong TableTouch => 0;

    // Level 6 translates bits 63:57.
    public static int RootIndexBits(int addressBits, int levels) => levels == 6 ? 7 : 9;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedEntry Decode(ulong entry, int level)
    {
        // PR is bit 0; bits 58:52 are reserved in every entry.
        if ((entry & 1) == 0)
        {
            return DecodedEntry.Hole;
        }

        if ((entry & 0x07F0_0000_0000_0000) != 0)
        {
            return DecodedEntry.Reserved;
        }

        // IR is bit 61, IW bit 62.
        ulong rights = (entry >> 61) & 3;
        ulong address = entry & 0x000F_FFFF_FFFF_F000;
        int nextLevel = (int)(entry >> 9) & 7;
        int itemLog2 = 12 + (9 * level);
        switch (nextLevel)
        {
            case 0:
                return itemLog2 > 51 || (address & ((1UL << itemLog2) - 1)) != 0 ? DecodedEntry.Reserved : DecodedEntry.Leaf(address, itemLog2, rights);
            case 7:
                // The lowest zero from bit 12 up stands for the upper half of the page: 8 KiB for bit 12.
                int zero = 12;
                while (((entry >> zero) & 1) != 0 && zero < 51)
                {
                    zero++;
                }

                int sizeLog2 = zero + 1;
                return sizeLog2 <= itemLog2 || sizeLog2 >= itemLog2 + 9 ? DecodedEntry.Reserved : DecodedEntry.Leaf(address, sizeLog2, rights);
            default:
                // Levels are counted from 1 here, and bits 60:59 are a leaf's.
                return nextLevel > level || (entry & 0x1800_0000_0000_0000) != 0
                    ? DecodedEntry.Reserved
                    : DecodedEntry.Table(address, nextLevel - 1, rights);
        }
    }

    // A is bit 5, D bit 6.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Touch(ulong entry, bool write) => entry | (write ? 0x60UL : 0x20UL);
}
