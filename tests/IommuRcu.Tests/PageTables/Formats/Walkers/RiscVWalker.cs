// The RISC-V walk, step by step as "Virtual Address Translation Process" of the privileged architecture lists it, with Svnapot and Svpbmt; and the second
// stage's differences: two more bits at the root, no sign extension.
using IommuRcu.Memory;
using static IommuRcu.Tests.PageTables.Formats.Walkers.Entries;

namespace IommuRcu.Tests.PageTables.Formats.Walkers;

internal static class RiscVWalker
{
    internal static SpecifiedWalk FirstStage(PhysicalMemory memory, PageTableRoot root, int addressBits, ulong iova)
    {
        Assert.Equal(addressBits, 12 + (9 * root.Levels));
        return (long)(iova << (64 - addressBits)) >> (64 - addressBits) != (long)iova
            ? SpecifiedWalk.Hole
            : Walk(memory, root, iova & ((1UL << addressBits) - 1));
    }

    internal static SpecifiedWalk SecondStage(PhysicalMemory memory, PageTableRoot root, int addressBits, ulong iova)
    {
        Assert.Equal(addressBits, 14 + (9 * root.Levels));
        Assert.Equal(0UL, root.Address.Value & 0x3FFF);
        return iova >> addressBits != 0 ? SpecifiedWalk.Hole : Walk(memory, root, iova);
    }

    private static SpecifiedWalk Walk(PhysicalMemory memory, PageTableRoot root, ulong address)
    {
        ulong table = root.Address.Value;
        for (int i = root.Levels - 1; i >= 0; i--)
        {
            int shift = 12 + (9 * i);
            ulong index = i == root.Levels - 1 ? address >> shift : (address >> shift) & 511;
            ulong entry = Read(memory, table, index);
            if (!Bit(entry, 0))
            {
                return SpecifiedWalk.Hole;
            }

            Assert.False(!Bit(entry, 1) && Bit(entry, 2), "Writable but not readable is reserved.");
            Reserved(entry, 60, 54);
            if (Field(entry, 3, 1) == 0)
            {
                Assert.True(!Bit(entry, 4) && !Bit(entry, 6) && !Bit(entry, 7), "U, A and D are reserved in a pointer.");
                Reserved(entry, 63, 61);
                table = Field(entry, 53, 10) << 12;
                continue;
            }

            Assert.NotEqual(3UL, Field(entry, 62, 61));
            Assert.True(Bit(entry, 4), "Devices access in user mode.");
            ulong number = Field(entry, 53, 10);
            if (Bit(entry, 63))
            {
                Assert.Equal(0, i);
                Assert.Equal(8UL, number & 15);
                for (ulong item = 0; item < 16; item++)
                {
                    Assert.Equal(entry & ~0xC0UL, Read(memory, table, (index & ~15UL) + item) & ~0xC0UL);
                }

                return new SpecifiedWalk(true, ((number & ~15UL) << 12) | (address & 0xFFFF), 0x1_0000, Bit(entry, 1), Bit(entry, 2));
            }

            return new SpecifiedWalk(true, Page(number << 12, shift, address), 1UL << shift, Bit(entry, 1), Bit(entry, 2));
        }

        throw new InvalidOperationException("A walk ends at a leaf or a hole.");
    }
}
