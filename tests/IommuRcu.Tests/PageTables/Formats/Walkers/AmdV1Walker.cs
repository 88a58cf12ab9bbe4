// AMD's host page-table walk, as section 2.2.3 of its specification tells it: modes, next levels that may skip some, coded page sizes.
using IommuRcu.Memory;
using static IommuRcu.Tests.PageTables.Formats.Walkers.Entries;

namespace IommuRcu.Tests.PageTables.Formats.Walkers;

internal static class AmdV1Walker
{
    internal static SpecifiedWalk Walk(PhysicalMemory memory, PageTableRoot root, int addressBits, ulong iova)
    {
        int level = root.Levels;
        int reach = 12 + (9 * level);
        if (reach < 64 && iova >> reach != 0)
        {
            return SpecifiedWalk.Hole;
        }

        ulong table = root.Address.Value;
        bool reads = true;
        bool writes = true;
        while (true)
        {
            int shift = 12 + (9 * (level - 1));
            ulong index = (iova >> shift) & 511;
            ulong entry = Read(memory, table, index);
            if (!Bit(entry, 0))
            {
                return SpecifiedWalk.Hole;
            }

            Reserved(entry, 59, 52);
            reads &= Bit(entry, 61);
            writes &= Bit(entry, 62);
            int nextLevel = (int)Field(entry, 11, 9);
            ulong address = Field(entry, 51, 12) << 12;
            switch (nextLevel)
            {
                case 0:
                    Assert.NotEqual(6, level);
                    return new SpecifiedWalk(true, Page(address, shift, iova), 1UL << shift, reads, writes);
                case 7:
                    // The first zero from bit 12 up is the most significant bit of the page's offset.
                    int sizeLog2 = 12;
                    while (Bit(entry, sizeLog2++))
                    {
                    }

                    Assert.InRange(sizeLog2, shift + 1, shift + 8);
                    ulong mask = (1UL << sizeLog2) - 1;
                    ulong first = index & ~((1UL << (sizeLog2 - shift)) - 1);
                    for (ulong item = 0; item < 1UL << (sizeLog2 - shift); item++)
                    {
                        // Dirty and accessed are each entry's own.
                        Assert.Equal(entry & ~0x60UL, Read(memory, table, first + item) & ~0x60UL);
                    }

                    return new SpecifiedWalk(true, (address & ~mask) | (iova & mask), mask + 1, reads, writes);
                default:
                    Assert.True(nextLevel < level, "A table leads to a lower level.");
                    Assert.False(Bit(entry, 60), "Coherence is forced by leaves.");
                    Assert.True(
                        nextLevel == level - 1 || (iova >> (12 + (9 * nextLevel))) % (1UL << (9 * (level - 1 - nextLevel))) == 0,
                        "Skipped levels translate zeroes only.");
                    table = address;
                    level = nextLevel;
                    break;
            }
        }
    }
}
