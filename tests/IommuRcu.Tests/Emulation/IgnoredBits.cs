// The bits of an entry that hardware makes nothing of, format by format: any other, flipped, must be noticed.
namespace IommuRcu.Tests.Emulation;

/// <summary>An entry under test.</summary>
/// <param name="IsTable">It leads to a lower table.</param>
/// <param name="Level">The level of the table that holds it, counted from the leaves.</param>
/// <param name="SizeLog2">log2 of the page's size, for a leaf.</param>
/// <param name="IsRun">The leaf is an item of a contiguous run.</param>
/// <param name="IsWritable">The leaf permits writing.</param>
internal readonly record struct EntryKindUnderTest(bool IsTable, int Level, int SizeLog2, bool IsRun, bool IsWritable);

/// <summary>Written from the specifications. Accessed and dirty bits are among them: hardware sets them as it finds them clear.</summary>
internal static class IgnoredBits
{
    internal static ulong Vtd(EntryKindUnderTest entry)
    {
        ulong ignored = Bits(6, 2) | Bits(10, 8) | Bits(61, 52) | Bits(63, 63);
        return entry.IsTable ? ignored : ignored | Bits(11, 11) | (entry.Level == 0 ? Bits(7, 7) : 0);
    }

    internal static ulong Amd(EntryKindUnderTest entry) => Bits(8, 1) | Bits(63, 63) | (entry.IsTable ? 0 : Bits(60, 59));

    internal static ulong X86(EntryKindUnderTest entry)
    {
        ulong ignored = Bits(6, 3) | Bits(11, 8) | Bits(62, 52);
        return entry.IsTable ? ignored : ignored | (entry.Level == 0 ? Bits(7, 7) : Bits(12, 12));
    }

    // A page that hardware may write is writable whatever its permission bit says, and without the modifier that bit alone says it.
    internal static ulong ArmStage1(EntryKindUnderTest entry)
        => entry.IsTable
            ? Bits(11, 2) | Bits(60, 52) | Bits(63, 63)
            : Bits(5, 2) | Bits(11, 8) | Bits(63, 53) | ArmDirtyAndRun(entry);

    internal static ulong ArmStage2(EntryKindUnderTest entry)
        => entry.IsTable
            ? Bits(11, 2) | Bits(63, 52)
            : Bits(5, 2) | Bits(11, 8) | Bits(63, 53) | ArmDirtyAndRun(entry);

    internal static ulong RiscV(EntryKindUnderTest entry)
        => entry.IsTable ? Bits(5, 5) | Bits(9, 8) : Bits(3, 3) | Bits(9, 5) | Bits(62, 61);

    private static ulong ArmDirtyAndRun(EntryKindUnderTest entry)
        => (entry.IsWritable ? Bits(7, 7) | Bits(51, 51) : 0) | (entry.IsRun ? Bits(52, 52) : 0);

    private static ulong Bits(int high, int low) => (ulong.MaxValue >> (63 - high)) & (ulong.MaxValue << low);
}
