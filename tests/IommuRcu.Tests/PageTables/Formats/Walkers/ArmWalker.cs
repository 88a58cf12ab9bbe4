// The VMSAv8-64 walk, by Arm's own level numbers: the start level and the size of the first table follow from T0SZ and the granule (Arm DDI 0487, section D8.2).
using IommuRcu.Memory;
using static IommuRcu.Tests.PageTables.Formats.Walkers.Entries;

namespace IommuRcu.Tests.PageTables.Formats.Walkers;

internal static class ArmWalker
{
    internal static SpecifiedWalker Stage1(int granuleLog2) => (memory, root, addressBits, iova) =>
        Walk(memory, root, addressBits, iova, granuleLog2, Leaf1);

    internal static SpecifiedWalker Stage2(int granuleLog2) => (memory, root, addressBits, iova) =>
        Walk(memory, root, addressBits, iova, granuleLog2, Leaf2);

    private static SpecifiedWalk Walk(
        PhysicalMemory memory, PageTableRoot root, int addressBits, ulong iova, int granuleLog2, Func<ulong, (bool Reads, bool Writes)> permissions)
    {
        if (iova >> addressBits != 0)
        {
            return SpecifiedWalk.Hole;
        }

        int stride = granuleLog2 - 3;
        int startLevel = 4 - root.Levels;
        Assert.InRange(startLevel, 0, 3);

        // The first table takes all bits that the lower levels do not; it is aligned to its own size.
        int firstBits = addressBits - granuleLog2 - (stride * (3 - startLevel));
        Assert.InRange(firstBits, 1, stride + 4);
        Assert.Equal(0UL, root.Address.Value & ((8UL << firstBits) - 1));
        ulong table = root.Address.Value;
        for (int level = startLevel; level <= 3; level++)
        {
            int shift = granuleLog2 + (stride * (3 - level));
            int bits = level == startLevel ? firstBits : stride;
            ulong index = (iova >> shift) & ((1UL << bits) - 1);
            ulong entry = Read(memory, table, index);
            if (!Bit(entry, 0))
            {
                return SpecifiedWalk.Hole;
            }

            if (level < 3 && Bit(entry, 1))
            {
                Reserved(entry, 51, 48);
                Reserved(entry, 63, 59); // hierarchical permissions
                table = Field(entry, 47, granuleLog2) << granuleLog2;
                continue;
            }

            // Blocks: levels 1 and 2 of 4 KiB granules, level 2 of the others. Pages: level 3, with bit 1.
            Assert.True(level == 3 ? Bit(entry, 1) : level == 2 || (level == 1 && granuleLog2 == 12), $"No block at level {level}.");
            Reserved(entry, 50, 48);
            if (granuleLog2 > 12)
            {
                Reserved(entry, granuleLog2 - 1, 12);
            }

            (bool reads, bool writes) = permissions(entry);
            ulong address = Page(Field(entry, 47, granuleLog2) << granuleLog2, shift, iova);
            int run = Bit(entry, 52) ? ContiguousLog2(granuleLog2, level) : 0;
            CheckRun(memory, table, index, run, shift, entry);
            return new SpecifiedWalk(true, address, 1UL << (shift + run), reads, writes);
        }

        throw new InvalidOperationException("A walk ends at a leaf or a hole.");
    }

    private static int ContiguousLog2(int granuleLog2, int level) => (granuleLog2, level) switch
    {
        (12, 1 or 2 or 3) => 4,
        (14, 3) => 7,
        (14, 2) => 5,
        (16, 2 or 3) => 5,
        _ => throw new InvalidOperationException("No contiguous bit at this level."),
    };

    /// <summary>All entries of a run are the same but for their addresses, which go up; hardware may have changed dirty and accessed state in each.</summary>
    private static void CheckRun(PhysicalMemory memory, ulong table, ulong index, int runLog2, int shift, ulong entry)
    {
        ulong first = index & ~((1UL << runLog2) - 1);
        ulong expected = entry - ((index - first) << shift);
        Assert.Equal(0UL, (Field(expected, 47, 12) << 12) & ((1UL << (shift + runLog2)) - 1));
        for (ulong item = 0; item < 1UL << runLog2; item++)
        {
            const ulong DirtyState = 0x80 | 0x400;
            Assert.Equal((expected + (item << shift)) & ~DirtyState, Read(memory, table, first + item) & ~DirtyState);
        }
    }

    // AP[1] is access for the unprivileged, AP[2] read-only, unless the modifier says that hardware clears it. nG must be set: an ASID's own.
    private static (bool Reads, bool Writes) Leaf1(ulong entry)
    {
        Assert.True(Bit(entry, 6) && Bit(entry, 11));
        return (true, !Bit(entry, 7) || Bit(entry, 51));
    }

    private static (bool Reads, bool Writes) Leaf2(ulong entry)
    {
        Assert.False(Bit(entry, 11)); // FnXS, or reserved
        return (Bit(entry, 6), Bit(entry, 7) || Bit(entry, 51));
    }
}
