// A format that a user brings: all there is to write for tables that the library does not know, and that everything works on it.
using IommuRcu.Memory;

namespace IommuRcu.Tests.PageTables.Formats;

/// <summary>
/// The page tables of an imaginary accelerator, as an example of a user's own format. An entry has bit 63 set when it is valid, bit 62 when it leads to a
/// table, bit 61 where the device may write, bit 60 when it has written, bit 59 to itself (software's), and a frame number in its low 36 bits; 3 levels of 4 KiB tables
/// make 39 bits. Leaves stand at the lowest two levels.
/// </summary>
/// <remarks>
/// An empty struct with static members, each a fact. The engine is compiled for it: no call of these is virtual. Derive a test class from
/// <see cref="FormatRules{TFormat}"/>, as below, to have the rules checked that the engine relies on.
/// </remarks>
public readonly struct AcceleratorFormat : IPageTableFormat
{
    private const ulong Valid = 1UL << 63;
    private const ulong Table = 1UL << 62;
    private const ulong Writable = 1UL << 61;
    private const ulong Dirty = 1UL << 60;
    private const ulong Software = 1UL << 59;
    private const ulong FrameMask = (1UL << 36) - 1;

    public static string Name => "accelerator";

    public static int GranuleLog2 => 12;

    public static int DefaultAddressBits => 39;

    public static int PhysicalAddressBits => 48;

    public static ulong PageSizes => (1UL << 12) | (1UL << 21);

    public static ulong DirtyMask => Dirty;

    public static ulong DirtyValue => Dirty;

    public static ulong TableIdentityMask => Valid | Table | FrameMask;

    public static ulong ReclaimMark => Software;

    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry)
    {
        geometry = new PageTableGeometry(3, 9);
        return addressBits == 39;
    }

    public static bool Supports(IommuAccess access) => access is IommuAccess.Read or (IommuAccess.Read | IommuAccess.Write);

    public static bool IsTable(ulong entry, int level) => (entry & (Valid | Table)) == (Valid | Table);

    public static bool IsLeaf(ulong entry, int level) => (entry & (Valid | Table)) == Valid;

    public static ulong TableAddress(ulong entry) => (entry & FrameMask) << 12;

    public static ulong LeafAddress(ulong entry) => (entry & FrameMask) << 12;

    public static int LeafSizeLog2(ulong entry, int level) => 12 + (9 * level);

    public static IommuAccess Access(ulong entry, int level) =>
        (entry & Writable) != 0 ? IommuAccess.Read | IommuAccess.Write : IommuAccess.Read;

    public static ulong TableEntry(ulong address, int level) => Valid | Table | (address >> 12);

    public static ulong AddressField(ulong address) => address >> 12;

    public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access) =>
        (access & IommuAccess.Write) != 0 ? Valid | Writable : Valid;

    public static ulong WithDirty(ulong entry) => entry | Dirty;

    public static ulong WithoutDirty(ulong entry) => entry & ~Dirty;
}

public sealed class AcceleratorFormatRulesTests : FormatRules<AcceleratorFormat>;

public sealed class UserFormatTests
{
    [Fact]
    public void UsersOwnFormat_WorksAsTheLibrarysDo()
    {
        using PhysicalMemory memory = PhysicalMemory.Allocate(1 << 20);
        using var allocator = new PageAllocator(memory);
        using IommuDomain domain = IommuDomain.Create<AcceleratorFormat>(new IommuDomainOptions { PageAllocator = allocator });
        Assert.Equal(AcceleratorFormat.Name, domain.FormatName);

        domain.Map(new Iova(0x1FF000), new PhysicalAddress(0x1234_5000), 0x1000, IommuAccess.Read);
        domain.Map(new Iova(0x20_0000), new PhysicalAddress(0x4000_0000), 0x20_1000, IommuAccess.Read | IommuAccess.Write);
        Assert.True(domain.TryTranslate(new Iova(0x20_1234), out Translation translation));
        Assert.Equal(new PhysicalAddress(0x4000_1234), translation.Address);
        Assert.Equal(1UL << 21, translation.PageSize);
        Assert.Equal(0xA000_0000_0004_0000UL, translation.RawEntry);

        using (Rcu.ReadLock())
        {
            var sizes = new List<ulong>();
            foreach (PageTableLeaf leaf in domain.Walk(new Iova(0), 1UL << 39))
            {
                sizes.Add(leaf.Size);
            }

            Assert.Equal([0x1000UL, 0x20_0000UL, 0x1000UL], sizes);
        }

        Assert.Throws<ArgumentException>(() => domain.Map(new Iova(0), new PhysicalAddress(0), 0x1000, IommuAccess.Write));
        Assert.Equal(0x20_2000UL, domain.Unmap(new Iova(0), 1UL << 30));
    }

    [Fact]
    public void UsersOwnFormat_DoesWhatTheModelDoes()
    {
        using var run = new FormatModelRun<AcceleratorFormat>(39, seed: 1);
        for (int step = 0; step < 300; step++)
        {
            run.Step();
        }

        run.CompareAll();
    }
}
