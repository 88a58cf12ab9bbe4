// Page-table entries as a RISC-V IOMMU reads them (privileged architecture: Sv39, hypervisor extension, Svnapot, Svpbmt; IOMMU architecture 1.0).
using System.Runtime.CompilerServices;

namespace IommuRcu.Emulation;

/// <summary>What the stages differ in.</summary>
internal interface IRiscVStage
{
    static abstract bool SignExtended { get; }

    static abstract int RootIndexBits { get; }
}

/// <summary>One stage, with Svnapot, Svpbmt and hardware update of A and D. Devices access in user mode.</summary>
internal readonly struct RiscVDecoder<TStage> : IEntryDecoder
    where TStage : struct, IRiscVStage
{
    public static int GranuleLog2 => 12;

    public static bool SignExtended => TStage.SignExtended;

    public static ulong TableTouch => 0;

    public static int RootIndexBits(int addressBits, int levels) => TStage.RootIndexBits;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedEntry Decode(ulong entry, int level)
    {
        // V is bit 0; R, W, X are 1, 2, 3. W without R is reserved, and so are bits 60:54.
        if ((entry & 1) == 0)
        {
            return DecodedEntry.Hole;
        }

        if ((entry & 6) == 4 || (entry & 0x1FC0_0000_0000_0000) != 0)
        {
            return DecodedEntry.Reserved;
        }

        ulong pageNumber = (entry >> 10) & 0xFFF_FFFF_FFFF;
        if ((entry & 0xE) == 0)
        {
            // A pointer has none of U (4), A (6), D (7), PBMT (62:61), N (63).
            return level == 0 || (entry & 0xE000_0000_0000_00D0) != 0 ? DecodedEntry.Reserved : DecodedEntry.Table(pageNumber << 12, level - 1);
        }

        // PBMT 3 is reserved.
        if ((entry & 0x6000_0000_0000_0000) == 0x6000_0000_0000_0000)
        {
            return DecodedEntry.Reserved;
        }

        ulong rights = (entry & 0x10) == 0 ? 0 : (entry >> 1) & 3;
        if (entry >> 63 != 0)
        {
            // Svnapot: 64 KiB alone, coded as 1000.
            return level != 0 || (pageNumber & 15) != 8 ? DecodedEntry.Reserved : DecodedEntry.Leaf(pageNumber << 12, 16, rights);
        }

        return (pageNumber & ((1UL << (9 * level)) - 1)) != 0 ? DecodedEntry.Reserved : DecodedEntry.Leaf(pageNumber << 12, 12 + (9 * level), rights);
    }

    // A is bit 6, D bit 7.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Touch(ulong entry, bool write) => entry | (write ? 0xC0UL : 0x40UL);
}

/// <summary>Sv39, Sv48, Sv57.</summary>
internal readonly struct RiscVFirstStage : IRiscVStage
{
    public static bool SignExtended => true;

    public static int RootIndexBits => 9;
}

/// <summary>Sv39x4, Sv48x4, Sv57x4: the root takes two more bits.</summary>
internal readonly struct RiscVSecondStage : IRiscVStage
{
    public static bool SignExtended => false;

    public static int RootIndexBits => 11;
}
