// Entries that the library never writes, but hardware has an opinion of.
using IommuRcu.Emulation;
using IommuRcu.Memory;

namespace IommuRcu.Tests.Emulation;

public sealed class EntriesAsWrittenTests : IDisposable
{
    private readonly HandMadeTables _tables = new();
    private readonly EmulatedIommu _iommu;
    private readonly byte[] _one = [1];

    public EntriesAsWrittenTests() => _iommu = new EmulatedIommu(_tables.Memory);

    public void Dispose()
    {
        _iommu.Dispose();
        _tables.Dispose();
    }

    [Fact]
    public void TableThatRefusesWrites_DoesSoWhenItIsCachedAsWell()
    {
        EmulatedDevice device = _iommu.Attach<VtdSecondStageFormat>(1, _tables.PageTableRoot, 39);
        _tables.Map(0x20_0000, _tables.New());
        _tables.Map(0x20_1000, _tables.New());
        ref ulong table = ref _tables.Slot(0x20_0000, 1);
        Volatile.Write(ref table, table & ~HandMadeTables.Write);
        Assert.True(device.DmaRead(new Iova(0x20_0000), _one));

        // The first by what is in the IOTLB, the second by the address of its table.
        Assert.False(device.DmaWrite(new Iova(0x20_0000), _one));
        Assert.False(device.DmaWrite(new Iova(0x20_1000), _one));
        Assert.All(_iommu.TakeFaults(), fault => Assert.Equal(IommuFaultReason.WriteDenied, fault.Reason));
        Assert.True(device.DmaRead(new Iova(0x20_1000), _one));
    }

    [Theory]
    [InlineData(0, 1UL << 62)]
    [InlineData(1, HandMadeTables.Large | (1UL << 12))]
    [InlineData(2, HandMadeTables.Large | (1UL << 21))]
    [InlineData(1, 1UL << 11)]
    public void ReservedBits_AreAFaultOfTheirOwn(int level, ulong bits)
    {
        EmulatedDevice device = _iommu.Attach<VtdSecondStageFormat>(1, _tables.PageTableRoot, 39);
        _tables.Map(0x20_0000, _tables.New());
        Assert.True(device.DmaRead(new Iova(0x20_0000), _one));
        ref ulong entry = ref _tables.Slot(0x20_0000, level);
        Volatile.Write(ref entry, entry | bits);
        _iommu.Invalidate(new IovaRange(new Iova(0), new Iova(ulong.MaxValue)), tablesFreed: true);
        Assert.False(device.DmaRead(new Iova(0x20_0000), _one));
        IommuFault fault = Assert.Single(_iommu.TakeFaults());
        Assert.Equal((IommuFaultReason.Reserved, level, entry), (fault.Reason, fault.Level, fault.RawEntry));
    }

    [Fact]
    public void AmdEntryThatSkipsLevels_TranslatesZeroesAlone()
    {
        const ulong Present = 1;
        const ulong ReadWrite = 3UL << 61;
        TablePage lowest = _tables.New();
        TablePage page = _tables.New();
        HandMadeTables.Entry(_tables.Root, 1) = lowest.Address.Value | (1UL << 9) | Present | ReadWrite;
        HandMadeTables.Entry(lowest, 5) = page.Address.Value | Present | ReadWrite;
        EmulatedDevice device = _iommu.Attach<AmdV1Format>(1, _tables.PageTableRoot, 39);
        Assert.True(device.DmaWrite(new Iova((1UL << 30) + 0x5008), [7]));
        Assert.Equal(7, _tables.Bytes(page)[8]);
        Assert.False(device.DmaWrite(new Iova((1UL << 30) + (1UL << 21) + 0x5008), [8]));
        Assert.Equal(IommuFaultReason.NotPresent, Assert.Single(_iommu.TakeFaults()).Reason);
    }

    [Fact]
    public void RootThatIsNotAligned_IsUsedAtTheAlignedAddress()
    {
        // Sv39x4: 16 KiB of root, and registers without the bits below.
        TablePage root = _tables.New(14);
        TablePage page = _tables.New();
        const ulong LeafOfUser = 0xDF;
        HandMadeTables.Entry(root, 0) = (_tables.Root.Address.Value >> 2) | 1;
        HandMadeTables.Entry(_tables.Root, 0) = ((page.Address.Value >> 2) & ~((1UL << 19) - 1)) | LeafOfUser;
        EmulatedDevice device = _iommu.Attach<RiscVSecondStageFormat>(1, new PageTableRoot(root.Address + 0x1000, 3), 41);
        Assert.True(device.DmaWrite(new Iova(page.Address.Value & ((1UL << 21) - 1)), [9]));
        Assert.Equal(9, _tables.Bytes(page)[0]);
    }
}
