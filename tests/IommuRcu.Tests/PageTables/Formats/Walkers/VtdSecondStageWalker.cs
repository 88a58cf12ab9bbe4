// VT-d's second-stage walk, as section 3.7 and the tables of section 9.9 of its specification tell it.
using IommuRcu.Memory;
using static IommuRcu.Tests.PageTables.Formats.Walkers.Entries;

namespace IommuRcu.Tests.PageTables.Formats.Walkers;

internal static class VtdSecondStageWalker
{
    internal static SpecifiedWalk Walk(PhysicalMemory memory, PageTableRoot root, int addressBits, ulong iova)
    {
        if (addressBits < 64 && iova >> addressBits != 0)
        {
            return SpecifiedWalk.Hole;
        }

        ulong table = root.Address.Value;
        bool reads = true;
        bool writes = true;
        for (int level = root.Levels; level >= 1; level--)
        {
            ulong entry = Read(memory, table, (iova >> (12 + (9 * (level - 1)))) & 511);
            if (Field(entry, 1, 0) == 0)
            {
                return SpecifiedWalk.Hole; // neither read nor write: not present
            }

            reads &= Bit(entry, 0);
            writes &= Bit(entry, 1);
            bool leaf = level == 1 || Bit(entry, 7);
            Assert.False(leaf && level > 3, "Page size is reserved above 1 GiB.");
            if (leaf)
            {
                int sizeLog2 = 12 + (9 * (level - 1));
                return new SpecifiedWalk(true, Page(Field(entry, 51, 12) << 12, sizeLog2, iova), 1UL << sizeLog2, reads, writes);
            }

            Assert.False(Bit(entry, 11), "Snooping is a leaf's.");
            table = Field(entry, 51, 12) << 12;
        }

        throw new InvalidOperationException("A walk ends at a leaf or a hole.");
    }
}
