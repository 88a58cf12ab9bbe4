// The emulated hardware behind domains: the invalidations that a domain asks for are exactly what keeps a device right.
using IommuRcu.Emulation;
using IommuRcu.Memory;

namespace IommuRcu.Tests.Emulation;

public sealed unsafe class EmulatedDomainTests : IDisposable
{
    private const ulong MiB = 1UL << 20;
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    private readonly PhysicalMemory _memory = PhysicalMemory.Allocate(64 * MiB);
    private readonly PageAllocator _pages;
    private readonly EmulatedIommu _iommu;

    public EmulatedDomainTests()
    {
        _pages = new PageAllocator(_memory, new() { Ranges = [PhysicalRange.OfSize(default, 32 * MiB)] });
        _iommu = new EmulatedIommu(_memory);
    }

    public static TheoryData<string> Formats => [nameof(PageTableFormat.VtdSecondStage), nameof(PageTableFormat.AmdV1),
        nameof(PageTableFormat.X86FirstStage), nameof(PageTableFormat.ArmStage1), nameof(PageTableFormat.ArmStage2),
        nameof(PageTableFormat.RiscVFirstStage), nameof(PageTableFormat.RiscVSecondStage)];

    public void Dispose()
    {
        _iommu.Dispose();
        Rcu.Barrier();
        _memory.Dispose();
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void MappedUnmappedAndMappedElsewhere_DevicesFollow(string format)
    {
        using IommuDomain domain = IommuDomain.Create(FormatOf(format), new IommuDomainOptions { PageAllocator = _pages, Invalidator = _iommu });
        EmulatedDevice device = _iommu.Attach(1, domain);
        byte[] data = [.. Enumerable.Range(0, 20_000).Select(i => (byte)(i * 11))];
        byte[] back = new byte[data.Length];
        for (ulong round = 0; round < 3; round++)
        {
            ulong target = (40 + (4 * round)) * MiB;
            domain.Map(new Iova(0x4000_0000), new PhysicalAddress(target), 4 * MiB, ReadWrite);
            Assert.True(device.DmaWrite(new Iova(0x4000_0000 + MiB - 100), data));
            Assert.True(new ReadOnlySpan<byte>(_memory.GetPointer(new(target + MiB - 100), 20_000), 20_000).SequenceEqual(data));
            Assert.True(device.DmaRead(new Iova(0x4000_0000 + MiB - 100), back));
            Assert.Equal(data, back);
            Assert.Equal(4 * MiB, domain.Unmap(new Iova(0x4000_0000), 4 * MiB));
            Assert.False(device.DmaRead(new Iova(0x4000_0000 + MiB), back));
            Assert.Equal(IommuFaultReason.NotPresent, Assert.Single(_iommu.TakeFaults()).Reason);
        }

        _iommu.Detach(1);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Permissions_AreObeyed(string format)
    {
        using IommuDomain domain = IommuDomain.Create(FormatOf(format), new IommuDomainOptions { PageAllocator = _pages, Invalidator = _iommu });
        EmulatedDevice device = _iommu.Attach(1, domain);
        domain.Map(new Iova(0x10000), new PhysicalAddress(40 * MiB), 0x10000, IommuAccess.Read);
        Assert.True(device.DmaRead(new Iova(0x10000), new byte[8]));
        Assert.False(device.DmaWrite(new Iova(0x10008), new byte[8]));
        Assert.Equal(IommuFaultReason.WriteDenied, Assert.Single(_iommu.TakeFaults()).Reason);
        _iommu.Detach(1);
    }

    [Fact]
    public void DirtyPages_AreWhatDevicesWrote()
    {
        using IommuDomain domain = IommuDomain.Create(PageTableFormat.VtdSecondStage, new IommuDomainOptions { PageAllocator = _pages, Invalidator = _iommu });
        EmulatedDevice device = _iommu.Attach(1, domain);
        domain.Map(new Iova(0x10000), new PhysicalAddress(40 * MiB), 0x10000, ReadWrite);
        var dirty = new DirtyBitmap(new Iova(0x10000), 0x10000);
        for (int round = 0; round < 3; round++)
        {
            // The second and third time a cached translation is there, which would lose the write if reading did not flush.
            Assert.True(device.DmaWrite(new Iova(0x12ff8), new byte[16]));
            Assert.True(device.DmaRead(new Iova(0x15000), new byte[16]));
            dirty.Clear();
            domain.ReadDirty(new Iova(0x10000), 0x10000, dirty, DirtyReadMode.ReadAndClear);
            Assert.Equal(2, dirty.Count);
            Assert.True(dirty[new Iova(0x12000)]);
            Assert.True(dirty[new Iova(0x13000)]);
        }

        Assert.True(device.DmaWrite(new Iova(0x1f000), new byte[1]));
        dirty.Clear();
        var gather = new IotlbGather(domain);
        domain.Unmap(new Iova(0x10000), 0x10000, ref gather, dirty);
        gather.Sync();
        Assert.Equal(1, dirty.Count);
        Assert.True(dirty[new Iova(0x1f000)]);
        _iommu.Detach(1);
    }

    [Fact]
    public void DomainThatDoesNotFlush_LeavesItsDevicesOnOldPages()
    {
        using IommuDomain domain = IommuDomain.Create(PageTableFormat.VtdSecondStage, new IommuDomainOptions { PageAllocator = _pages, Invalidator = new Deaf() });
        EmulatedDevice device = _iommu.Attach(1, domain);
        domain.Map(new Iova(0x10000), new PhysicalAddress(40 * MiB), 0x1000, ReadWrite);
        Assert.True(device.DmaWrite(new Iova(0x10000), [1]));
        domain.Unmap(new Iova(0x10000), 0x1000);
        Assert.True(device.DmaWrite(new Iova(0x10000), [2]));
        Assert.Equal(2, *_memory.GetPointer(new(40 * MiB), 1));
        _iommu.Detach(1);
    }

    [Fact]
    public void GatheredUnmap_IsUsableUntilItsSync()
    {
        using IommuDomain domain = IommuDomain.Create(PageTableFormat.VtdSecondStage, new IommuDomainOptions { PageAllocator = _pages, Invalidator = _iommu });
        EmulatedDevice device = _iommu.Attach(1, domain);
        domain.Map(new Iova(0x10000), new PhysicalAddress(40 * MiB), 0x1000, ReadWrite);
        Assert.True(device.DmaWrite(new Iova(0x10000), [1]));
        var gather = new IotlbGather(domain);
        domain.Unmap(new Iova(0x10000), 0x1000, ref gather);
        Assert.True(device.DmaWrite(new Iova(0x10000), [2]));
        gather.Sync();
        Assert.False(device.DmaWrite(new Iova(0x10000), [3]));
        Assert.Equal(2, *_memory.GetPointer(new(40 * MiB), 1));
        _iommu.Detach(1);
    }

    [Fact]
    public void InvalidatorsOfTheirOwn_KeepDomainsApart()
    {
        IIommuInvalidator first = _iommu.CreateInvalidator();
        IIommuInvalidator second = _iommu.CreateInvalidator();
        using IommuDomain a = IommuDomain.Create(PageTableFormat.VtdSecondStage, new IommuDomainOptions { PageAllocator = _pages, Invalidator = first });
        using IommuDomain b = IommuDomain.Create(PageTableFormat.X86FirstStage, new IommuDomainOptions { PageAllocator = _pages, Invalidator = second });
        using IommuDomain c = IommuDomain.Create(PageTableFormat.X86FirstStage, new IommuDomainOptions { PageAllocator = _pages, Invalidator = second });
        EmulatedDevice one = _iommu.Attach(1, a);
        EmulatedDevice two = _iommu.Attach(2, b);
        EmulatedDevice three = _iommu.Attach(3, a);
        Assert.Throws<InvalidOperationException>(() => _iommu.Attach(4, c));
        a.Map(new Iova(0x10000), new PhysicalAddress(40 * MiB), 0x1000, ReadWrite);
        b.Map(new Iova(0x10000), new PhysicalAddress(41 * MiB), 0x1000, ReadWrite);
        Assert.True(one.DmaWrite(new Iova(0x10000), [1]));
        Assert.True(two.DmaWrite(new Iova(0x10000), [2]));
        Assert.True(three.DmaWrite(new Iova(0x10001), [3]));
        Assert.Equal(1, *_memory.GetPointer(new(40 * MiB), 1));
        Assert.Equal(2, *_memory.GetPointer(new(41 * MiB), 1));
        Assert.Equal(3, *_memory.GetPointer(new((40 * MiB) + 1), 1));
        b.Unmap(new Iova(0x10000), 0x1000);
        Assert.False(two.DmaWrite(new Iova(0x10000), [4]));
        Assert.True(one.DmaWrite(new Iova(0x10000), [5]));
        a.Unmap(new Iova(0x10000), 0x1000);
        Assert.False(one.DmaWrite(new Iova(0x10000), [6]));
        Assert.False(three.DmaWrite(new Iova(0x10000), [7]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void RootThatGrows_IsFollowedWhenTheHardwareIsTold(bool own)
    {
        IIommuInvalidator invalidator = own ? _iommu.CreateInvalidator() : _iommu;
        using IommuDomain domain = IommuDomain.Create(PageTableFormat.AmdV1, new IommuDomainOptions { PageAllocator = _pages, Invalidator = invalidator });
        int levels = domain.Root.Levels;
        EmulatedDevice device = _iommu.Attach(1, domain);
        var high = new Iova(1UL << 46);
        Assert.False(device.DmaWrite(high, [1]));
        domain.Map(new Iova(0x10000), new PhysicalAddress(40 * MiB), 0x1000, ReadWrite);
        domain.Map(high, new PhysicalAddress(41 * MiB), 0x1000, ReadWrite);
        Assert.True(domain.Root.Levels > levels);
        Assert.True(device.DmaWrite(high, [1]));
        Assert.True(device.DmaWrite(new Iova(0x10000), [2]));
        Assert.Equal(1, *_memory.GetPointer(new(41 * MiB), 1));
        Assert.Equal(2, *_memory.GetPointer(new(40 * MiB), 1));
        _iommu.Detach(1);
    }

    [Fact]
    public void RootOfSeveralDomainsThatShareTheIommu_IsAmbiguous()
    {
        using IommuDomain a = IommuDomain.Create(PageTableFormat.VtdSecondStage, new IommuDomainOptions { PageAllocator = _pages, Invalidator = _iommu });
        using IommuDomain b = IommuDomain.Create(PageTableFormat.VtdSecondStage, new IommuDomainOptions { PageAllocator = _pages, Invalidator = _iommu });
        _iommu.Attach(1, a);
        _iommu.Attach(2, b);
        Assert.Throws<InvalidOperationException>(() => _iommu.RootChanged(a.Root));
        _iommu.Detach(1);
        _iommu.RootChanged(b.Root);
        _iommu.Detach(2);
    }

    private static PageTableFormat FormatOf(string name)
        => (PageTableFormat)typeof(PageTableFormat).GetProperty(name)!.GetValue(null)!;

    /// <summary>Forgets to flush.</summary>
    private sealed class Deaf : IIommuInvalidator
    {
        public void Invalidate(IovaRange range, bool tablesFreed)
        {
        }

        public void RootChanged(PageTableRoot root)
        {
        }
    }
}
