// The walk of x86-64 paging, as chapter 4 of Intel's manual tells it, with accessed and dirty bits that no hardware sets.
using IommuRcu.Memory;
using static IommuRcu.Tests.PageTables.Formats.Walkers.Entries;

namespace IommuRcu.Tests.PageTables.Formats.Walkers;

internal static class X86FirstStageWalker
{
    internal static SpecifiedWalk Walk(PhysicalMemory memory, PageTableRoot root, int addressBits, ulong iova)
    {
        Assert.Equal(addressBits, 12 + (9 * root.Levels));
        if ((long)(iova << (64 - addressBits)) >> (64 - addressBits) != (long)iova)
        {
            return SpecifiedWalk.Hole; // not canonical
        }

        ulong table = root.Address.Value;
        bool writes = true;
        for (int level = root.Levels; level >= 1; level--)
        {
            int shift = 12 + (9 * (level - 1));
            ulong entry = Read(memory, table, (iova >> shift) & 511);
            if (!Bit(entry, 0))
            {
                return SpecifiedWalk.Hole;
            }

            Assert.True(Bit(entry, 2), "Devices access as users.");
            Assert.False(Bit(entry, 63), "Execute-disable may be reserved.");
            writes &= Bit(entry, 1);
            if (level > 1 && !Bit(entry, 7))
            {
                table = Field(entry, 51, 12) << 12;
                continue;
            }

            Assert.True(level <= 3, "Page size is reserved above 1 GiB.");
            if (level > 1)
            {
                Reserved(entry, shift - 1, 12); // the PAT bit among them, which is not used
            }

            return new SpecifiedWalk(true, Page(Field(entry, 51, 12) << 12, shift, iova), 1UL << shift, true, writes);
        }

        throw new InvalidOperationException("A walk ends at a leaf or a hole.");
    }
}
