// First-stage entries as an IOMMU reads them (VT-d sections 3.6 and 9.8; Intel SDM volume 3A, section 4.5).
using System.Runtime.CompilerServices;

namespace IommuRcu.Emulation;

/// <summary>x86-64 paging for requests of user privilege; execute-disable is not enabled.</summary>
internal readonly struct X86FirstStageDecoder : IEntryDecoder
{
    public static int GranuleLog2 => 12;

    public static bool SignExtended => true;

    public static ulong TableTouch => 0x20; // A, bit 5

    public static int RootIndexBits(int addressBits, int levels) => 9;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedEntry Decode(ulong entry, int level)
    {
        // P is bit 0; XD, bit 63, is reserved where it is not enabled; bit 7 is PS above level 0, and PAT there.
        if ((entry & 1) == 0)
        {
            return DecodedEntry.Hole;
        }

        bool pageSize = level > 0 && (entry & 0x80) != 0;
        if (entry >> 63 != 0 || (pageSize && level > 2))
        {
            return DecodedEntry.Reserved;
        }

        // U/S, bit 2: without it users pass neither way. R/W is bit 1.
        ulong rights = (entry & 4) == 0 ? 0 : DecodedEntry.CanRead | (entry & DecodedEntry.CanWrite);
        ulong address = entry & 0x000F_FFFF_FFFF_F000;
        if (level > 0 && !pageSize)
        {
            return DecodedEntry.Table(address, level - 1, rights);
        }

        // Bit 12 of a large page is PAT, those from 13 up to its size are reserved.
        int sizeLog2 = 12 + (9 * level);
        return (address & ((1UL << sizeLog2) - 1) & ~0x1FFFUL) != 0 ? DecodedEntry.Reserved : DecodedEntry.Leaf(address, sizeLog2, rights);
    }

    // A is bit 5, D bit 6.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Touch(ulong entry, bool write) => entry | (write ? 0x60UL : 0x20UL);
}
