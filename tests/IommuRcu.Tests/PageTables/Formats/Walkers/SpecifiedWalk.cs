// What a walk finds that is written from a specification alone, without a word of the library's formats.
using System.Numerics;
using IommuRcu.Memory;

namespace IommuRcu.Tests.PageTables.Formats.Walkers;

/// <summary>The outcome of a walk: a translation, a hole, or an entry that the specification forbids.</summary>
internal readonly record struct SpecifiedWalk(bool Found, ulong Address, ulong PageSize, bool Reads, bool Writes)
{
    internal static SpecifiedWalk Hole => default;
}

/// <summary>Walks the tables of a width from a root. An entry with reserved bits or encodings fails the test.</summary>
internal delegate SpecifiedWalk SpecifiedWalker(PhysicalMemory memory, PageTableRoot root, int addressBits, ulong iova);

/// <summary>What the walkers share: reading an entry and testing fields.</summary>
internal static class Entries
{
    internal static unsafe ulong Read(PhysicalMemory memory, ulong table, ulong index) =>
        Volatile.Read(ref *(ulong*)memory.GetPointer(new PhysicalAddress(table + (index * 8)), 8));

    internal static bool Bit(ulong entry, int bit) => ((entry >> bit) & 1) != 0;

    /// <summary>Returns a field, both bits inclusive, the higher first, as specifications write it.</summary>
    internal static ulong Field(ulong entry, int high, int low) => (entry << (63 - high)) >> (63 - high + low);

    internal static ulong Page(ulong address, int sizeLog2, ulong iova)
    {
        ulong offset = (1UL << sizeLog2) - 1;
        Assert.Equal(0UL, address & offset);
        return address | (iova & offset);
    }

    internal static void Reserved(ulong entry, int high, int low) =>
        Assert.True(Field(entry, high, low) == 0, $"Bits {high}:{low} of entry 0x{entry:x16} are reserved.");

    internal static int Log2(ulong size) => BitOperations.Log2(size);
}
