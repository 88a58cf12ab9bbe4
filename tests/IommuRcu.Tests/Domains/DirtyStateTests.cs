// Dirty and accessed state, set by emulated hardware: read, cleaned, kept by Protect, Split and TryMerge, harvested by Unmap, shown by the dump.
using IommuRcu.Emulation;
using IommuRcu.Memory;

namespace IommuRcu.Tests.Domains;

public class DirtyStateTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;
    private const ulong Base = 0x4000_0000;
    private const ulong Large = 0x20_0000;

    public static TheoryData<string> Formats => ["vtd-48", "amd-48", "x86-48", "arm1-4k", "arm2-4k-40", "riscv1-48", "riscv2-50"];

    [Theory]
    [MemberData(nameof(Formats))]
    public void SplitAndMerge_KeepDirtyState(string format)
    {
        using var rig = new Rig(format);
        rig.Domain.Map(new Iova(Base), new PhysicalAddress(0), Large, ReadWrite);
        rig.Clean();
        Assert.Equal(0, rig.Peek());

        Assert.Equal(1, rig.Domain.Split(new Iova(Base), 0x1000, 0x1000));
        Assert.Equal(0, rig.Peek());
        rig.Write(Base + 0x5000);
        Assert.Equal(1, rig.Peek());
        Assert.True(rig.Domain.TryMerge(new Iova(Base), Large));
        Assert.True(rig.Domain.TryTranslate(new Iova(Base + 0x12345), out Translation merged));
        Assert.Equal(Large, merged.PageSize);
        Assert.Equal(0x12345UL, merged.Address.Value);
        Assert.Equal(512, rig.Peek());

        Assert.Equal(1, rig.Domain.Split(new Iova(Base), Large, 0x1000));
        Assert.Equal(512, rig.Peek());
        rig.Clean();
        Assert.Equal(0, rig.Peek());
        Assert.True(rig.Domain.TryMerge(new Iova(Base), Large));
        Assert.Equal(0, rig.Peek());
        rig.Write(Base + 0x7000);
        Assert.Equal(512, rig.Peek());
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Protect_KeepsDirtyStateAndTakesTheWriteAway(string format)
    {
        using var rig = new Rig(format);
        rig.Domain.Map(new Iova(Base), new PhysicalAddress(0x1000), 0x4000, ReadWrite);
        rig.Clean();
        rig.Write(Base + 0x2000);
        Assert.Equal(0x4000UL, rig.Domain.Protect(new Iova(Base), 0x4000, ReadWrite));
        Assert.Equal(1, rig.Peek());
        Assert.Equal(0x4000UL, rig.Domain.Protect(new Iova(Base - 0x1000), 0x6000, IommuAccess.Read));
        Assert.False(rig.Iommu.DmaWrite(1, new Iova(Base), [1]));
        Assert.True(rig.Iommu.DmaRead(1, new Iova(Base), new byte[1]));
        Assert.True(rig.Domain.TryTranslate(new Iova(Base), out Translation found));
        Assert.Equal(IommuAccess.Read, found.Access);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void ReadDirty_FindsWhatWasWrittenOnceAndUnmapHarvestsTheRest(string format)
    {
        using var rig = new Rig(format);
        rig.Domain.Map(new Iova(Base + 0x1000), new PhysicalAddress(0x1000), 0x7000, ReadWrite);
        rig.Domain.Map(new Iova(Base + Large), new PhysicalAddress(Large), Large, ReadWrite);
        rig.Clean();
        rig.Write(Base + 0x3000);
        rig.Write(Base + Large + 0x77_000);
        var dirty = new DirtyBitmap(new Iova(Base), 2 * Large);
        rig.Domain.ReadDirty(dirty.Start, dirty.Size, dirty, DirtyReadMode.ReadAndClear);
        Assert.Equal(513, dirty.Count);
        Assert.True(dirty[new Iova(Base + 0x3000)]);
        Assert.Equal(0, rig.Peek());

        rig.Write(Base + 0x4000);
        var harvest = new DirtyBitmap(new Iova(Base), 2 * Large);
        Assert.Equal(0x7000UL, rig.Domain.Unmap(new Iova(Base + 0x1000), 0x7000, harvest));
        Assert.Equal(1, harvest.Count);
        Assert.True(harvest[new Iova(Base + 0x4FFF)]);
    }

    [Fact]
    public void ReadAccessed_FindsWhatWasRead()
    {
        using var rig = new Rig("vtd-48");
        rig.Domain.Map(new Iova(Base), new PhysicalAddress(0x1000), 0x8000, ReadWrite);
        Assert.True(rig.Iommu.DmaRead(1, new Iova(Base + 0x6000), new byte[1]));
        var accessed = new DirtyBitmap(new Iova(Base), 0x8000);
        rig.Domain.ReadAccessed(accessed.Start, accessed.Size, accessed, DirtyReadMode.ReadAndClear);
        Assert.Equal(1, accessed.Count);
        Assert.True(accessed[new Iova(Base + 0x6000)]);
        accessed.Clear();
        rig.Domain.ReadAccessed(accessed.Start, accessed.Size, accessed, DirtyReadMode.Peek);
        Assert.True(accessed.IsEmpty);
    }

    [Theory]
    [InlineData(0x800UL, 12)]
    [InlineData(0x0UL, 9)]
    [InlineData(0x0UL, 16)]
    [InlineData(0x7000UL, 12)]
    public void BitmapOfAnyGranuleAndOffset_HoldsTheWrittenBytes(ulong offset, int granuleLog2)
    {
        using var rig = new Rig("vtd-48");
        rig.Domain.Map(new Iova(Base), new PhysicalAddress(0x1000), 0x10_0000, ReadWrite);
        rig.Write(Base + 0x9000);
        rig.Write(Base + 0x4_1000);
        var dirty = new DirtyBitmap(new Iova(Base + offset), 0x10_0000 - offset, granuleLog2);
        rig.Domain.ReadDirty(new Iova(Base), 0x10_0000, dirty, DirtyReadMode.ReadAndClear);
        Assert.True(dirty[new Iova(Base + 0x9000)]);
        Assert.True(dirty[new Iova(Base + 0x9FFF)]);
        Assert.True(dirty[new Iova(Base + 0x4_1800)]);
        Assert.False(dirty[new Iova(Base + 0x8_0000)]);
        Assert.Equal(0, rig.Peek());
    }

    [Fact]
    public void Dump_ShowsRunsAndTables()
    {
        using var rig = new Rig("vtd-48");
        rig.Domain.Map(new Iova(Base), new PhysicalAddress(0x1000), 0x8000, ReadWrite);
        rig.Domain.Map(new Iova(0x8000_0000), new PhysicalAddress(Large), Large, IommuAccess.Read);
        rig.Write(Base + 0x1000);
        PageTableRun[] runs = [.. PageTableDump.Runs(rig.Domain)];
        Assert.Equal(2, runs.Length);
        Assert.Equal((new Iova(Base), 8, 1, 0x1000UL), (runs[0].First, runs[0].Pages, runs[0].DirtyPages, runs[0].PageSize));
        Assert.Equal((new Iova(0x8000_0000), 1, Large), (runs[1].First, runs[1].Pages, runs[1].PageSize));

        // The root, one table above, two of 1 GiB, one of 2 MiB.
        PageTableSnapshot[] tables = [.. PageTableDump.Tables(rig.Domain)];
        Assert.Equal([3, 2, 1, 0, 1], tables.Select(t => t.Level));
        Assert.Equal(8, tables[3].Entries.Count);
        var text = new StringWriter();
        PageTableDump.Write(text, rig.Domain, includeTables: true);
        Assert.Contains("8 x 4K, dirty 1", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("1 x 2M", text.ToString(), StringComparison.Ordinal);
    }

    private sealed class Rig : IDisposable
    {
        private readonly PhysicalMemory _memory = PhysicalMemory.Allocate(64UL << 20);
        private readonly PageAllocator _allocator;

        public Rig(string format)
        {
            FormatCase chosen = AllFormats.Get(format);
            _allocator = new PageAllocator(_memory, new PageAllocatorOptions { Ranges = [PhysicalRange.OfSize(new PhysicalAddress(32UL << 20), 32UL << 20)] });
            Iommu = new EmulatedIommu(_memory);

            // Pages of 4 KiB and 2 MiB only, so that every format counts alike.
            Domain = IommuDomain.Create(chosen.Format, new IommuDomainOptions
            {
                PageAllocator = _allocator,
                AddressBits = chosen.AddressBits,
                GranuleLog2 = chosen.GranuleLog2,
                Invalidator = Iommu,
                PageSizes = 0x1000 | Large,
                ReplacesWithoutBreak = true,
            });
            Iommu.Attach(1, Domain);
        }

        public EmulatedIommu Iommu { get; }

        public IommuDomain Domain { get; }

        public void Write(ulong iova) => Assert.True(Iommu.DmaWrite(1, new Iova(iova), [42]));

        public void Clean() => Domain.ReadDirty(new Iova(Base), 2 * Large, new DirtyBitmap(new Iova(Base), 2 * Large), DirtyReadMode.ReadAndClear);

        public long Peek()
        {
            var dirty = new DirtyBitmap(new Iova(Base), 2 * Large);
            Domain.ReadDirty(dirty.Start, dirty.Size, dirty, DirtyReadMode.Peek);
            return dirty.Count;
        }

        public void Dispose()
        {
            Iommu.Detach(1);
            Domain.Dispose();
            Assert.Equal(0, _allocator.LivePages);
            Iommu.Dispose();
            _allocator.Dispose();
            _memory.Dispose();
        }
    }
}
