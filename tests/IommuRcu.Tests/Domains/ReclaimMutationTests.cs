// The second read of the parent entry, taken away: the stress must notice.
using System.Diagnostics;
using IommuRcu.Memory;
using static IommuRcu.Tests.Domains.DomainFixture;

namespace IommuRcu.Tests.Domains;

public class ReclaimMutationTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    [Fact]
    public void MapperThatDoesNotReadTheParentAgain_LosesMappings()
    {
        // The same stress on both: the format that is right loses nothing, the one that hides an unlinked parent does, within seconds.
        Assert.Equal(0, LostMappings<VtdSecondStageFormat>(0.5));
        Assert.NotEqual(0, LostMappings<BlindVtd>(30));
    }

    /// <summary>Two mappers of one table and a reclaimer: how many mappings were lost whose Map had returned, up to the first.</summary>
    private static long LostMappings<TFormat>(double seconds)
        where TFormat : struct, IPageTableFormat
    {
        PhysicalMemory memory = PhysicalMemory.Allocate(64UL << 20);
        long lost = Stress<TFormat>(memory, seconds);
        try
        {
            memory.Dispose();
        }
        catch (InvalidOperationException) when (lost != 0)
        {
            // Under a format that loses mappings, a table put into one that is unlinked already is lost, too, and never comes back.
        }

        return lost;
    }

    private static long Stress<TFormat>(PhysicalMemory memory, double seconds)
        where TFormat : struct, IPageTableFormat
    {
        using var allocator = new PageAllocator(memory);
        using IommuDomain domain = IommuDomain.Create<TFormat>(new IommuDomainOptions { PageAllocator = allocator, AddressBits = 39 });
        long lost = 0;
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        var threads = new List<Thread>();
        for (int i = 0; i < 2; i++)
        {
            Iova mine = Iova((ulong)i << 12);
            threads.Add(new Thread(() =>
            {
                while (Volatile.Read(ref lost) == 0 && Stopwatch.GetTimestamp() < end)
                {
                    domain.Map(mine, Pa(0x1000), 0x1000, ReadWrite);
                    bool found = domain.TryTranslate(mine, out _);
                    if (domain.Unmap(mine, 0x1000) != 0x1000 || !found)
                    {
                        Interlocked.Increment(ref lost);
                    }
                }
            }));
        }

        threads.Add(new Thread(() =>
        {
            while (Volatile.Read(ref lost) == 0 && Stopwatch.GetTimestamp() < end)
            {
                domain.ReclaimEmptyTables();
            }
        }));
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        return lost;
    }

    /// <summary>VT-d, but a table entry that is gone looks like any other that is not marked: the second read of the parent sees nothing.</summary>
    private readonly struct BlindVtd : IPageTableFormat
    {
        public static string Name => "VT-d, blind";

        public static int GranuleLog2 => VtdSecondStageFormat.GranuleLog2;

        public static int DefaultAddressBits => VtdSecondStageFormat.DefaultAddressBits;

        public static int PhysicalAddressBits => VtdSecondStageFormat.PhysicalAddressBits;

        public static ulong PageSizes => VtdSecondStageFormat.PageSizes;

        public static ulong DirtyMask => VtdSecondStageFormat.DirtyMask;

        public static ulong DirtyValue => VtdSecondStageFormat.DirtyValue;

        // The bug.
        public static ulong TableIdentityMask => 0;

        public static ulong ReclaimMark => VtdSecondStageFormat.ReclaimMark;

        public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry) => VtdSecondStageFormat.TryGetGeometry(addressBits, out geometry);

        public static bool Supports(IommuAccess access) => VtdSecondStageFormat.Supports(access);

        public static bool IsTable(ulong entry, int level) => VtdSecondStageFormat.IsTable(entry, level);

        public static bool IsLeaf(ulong entry, int level) => VtdSecondStageFormat.IsLeaf(entry, level);

        public static ulong TableAddress(ulong entry) => VtdSecondStageFormat.TableAddress(entry);

        public static ulong LeafAddress(ulong entry) => VtdSecondStageFormat.LeafAddress(entry);

        public static int LeafSizeLog2(ulong entry, int level) => VtdSecondStageFormat.LeafSizeLog2(entry, level);

        public static IommuAccess Access(ulong entry, int level) => VtdSecondStageFormat.Access(entry, level);

        public static ulong TableEntry(ulong address, int level) => VtdSecondStageFormat.TableEntry(address, level);

        public static ulong AddressField(ulong address) => VtdSecondStageFormat.AddressField(address);

        public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access) => VtdSecondStageFormat.LeafAttributes(level, sizeLog2, access);

        public static ulong WithDirty(ulong entry) => VtdSecondStageFormat.WithDirty(entry);

        public static ulong WithoutDirty(ulong entry) => VtdSecondStageFormat.WithoutDirty(entry);
    }
}
