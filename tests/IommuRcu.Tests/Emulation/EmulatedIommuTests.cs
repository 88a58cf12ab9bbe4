// The emulated hardware on tables made by hand: translation, faults, accessed and dirty bits, caches that go stale.
using IommuRcu.Emulation;
using IommuRcu.Memory;

namespace IommuRcu.Tests.Emulation;

public sealed class EmulatedIommuTests : IDisposable
{
    private const ulong MiB = 1UL << 20;
    private static readonly IovaRange _everything = new(new Iova(0), new Iova(ulong.MaxValue));

    private readonly HandMadeTables _tables = new();
    private readonly EmulatedIommu _iommu;
    private readonly EmulatedDevice _device;

    public EmulatedIommuTests()
    {
        _iommu = new EmulatedIommu(_tables.Memory);
        _device = _iommu.Attach<VtdSecondStageFormat>(3, _tables.PageTableRoot, 39);
    }

    public void Dispose()
    {
        _iommu.Dispose();
        _tables.Dispose();
    }

    [Fact]
    public void Dma_LandsWhereTheEntriesSayAndNowhereElse()
    {
        TablePage first = _tables.New();
        TablePage second = _tables.New();
        TablePage untouched = _tables.New();
        _tables.Map(0x10000, first);
        _tables.Map(0x11000, second);
        byte[] data = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i * 7))];
        Assert.True(_iommu.DmaWrite(3, new Iova(0x10100), data));
        Assert.Equal(data[..0xf00], _tables.Bytes(first)[0x100..].ToArray());
        Assert.Equal(data[0xf00..], _tables.Bytes(second)[..(5000 - 0xf00)].ToArray());
        Assert.Equal(-1, _tables.Bytes(first)[..0x100].IndexOfAnyExcept((byte)0));
        Assert.Equal(-1, _tables.Bytes(second)[(5000 - 0xf00)..].IndexOfAnyExcept((byte)0));
        Assert.Equal(-1, _tables.Bytes(untouched).IndexOfAnyExcept((byte)0));
        byte[] back = new byte[5000];
        Assert.True(_device.DmaRead(new Iova(0x10100), back));
        Assert.Equal(data, back);
        Assert.Equal(0, _iommu.FaultCount);
    }

    [Theory]
    [InlineData(1, 21)]
    [InlineData(2, 30)]
    public void LargePages_AreWalkedToTheirOffset(int level, int sizeLog2)
    {
        // A page larger than the memory, whose first part alone is there.
        ulong iova = 3UL << sizeLog2;
        _tables.Map(iova, 0, HandMadeTables.Read | HandMadeTables.Write, level);
        TablePage target = _tables.New();
        Assert.True(_device.DmaWrite(new Iova(iova + target.Address.Value + 5), [1, 2, 3]));
        Assert.Equal([1, 2, 3], _tables.Bytes(target).Slice(5, 3).ToArray());
        if (level == 2)
        {
            Assert.False(_device.DmaWrite(new Iova(iova + (20 * MiB)), [1]));
            Assert.Equal(IommuFaultReason.PageOutsideMemory, Assert.Single(_iommu.TakeFaults()).Reason);
        }
    }

    [Fact]
    public void Faults_AreRecordedWithTheirReasons()
    {
        _tables.Map(0x1000, _tables.New(), HandMadeTables.Read);
        _tables.Map(0x2000, _tables.New(), HandMadeTables.Write);
        _tables.Map(0x3000, 1UL << 40, HandMadeTables.Read);
        HandMadeTables.Entry(_tables.Root, 7) = (1UL << 41) | HandMadeTables.Read;
        byte[] one = [1];
        Assert.False(_device.DmaWrite(new Iova(0x1008), one));
        Assert.False(_device.DmaRead(new Iova(0x2008), one));
        Assert.False(_device.DmaRead(new Iova(0x3008), one));
        Assert.False(_device.DmaRead(new Iova(0x4008), one));
        Assert.False(_device.DmaRead(new Iova(7UL << 30), one));
        Assert.False(_device.DmaRead(new Iova(1UL << 39), one));
        Assert.False(_device.DmaRead(new Iova(ulong.MaxValue), one));
        Assert.False(_iommu.DmaWrite(4, new Iova(0x1000), one));
        IReadOnlyList<IommuFault> faults = _iommu.TakeFaults();
        Assert.Equal(
            [
                (0x1008UL, true, IommuFaultReason.WriteDenied, 0),
                (0x2008UL, false, IommuFaultReason.ReadDenied, 0),
                (0x3008UL, false, IommuFaultReason.PageOutsideMemory, 0),
                (0x4008UL, false, IommuFaultReason.NotPresent, 0),
                (7UL << 30, false, IommuFaultReason.TableOutsideMemory, 1),
                (1UL << 39, false, IommuFaultReason.OutsideAperture, -1),
                (ulong.MaxValue, false, IommuFaultReason.OutsideAperture, -1),
                (0x1000UL, true, IommuFaultReason.NotAttached, -1),
            ],
            faults.Select(f => (f.Iova.Value, f.IsWrite, f.Reason, f.Level)));
        Assert.Equal([3, 3, 3, 3, 3, 3, 3, 4], faults.Select(f => f.DeviceId));
        Assert.Empty(_iommu.TakeFaults());
        Assert.Equal(8, _iommu.FaultCount);
        Assert.Equal(8, _iommu.Statistics.Faults);
    }

    [Fact]
    public void FaultInTheMiddle_LeavesWhatCameBeforeIt()
    {
        TablePage page = _tables.New();
        _tables.Map(0x1000, page);
        byte[] data = [.. Enumerable.Repeat((byte)9, 8192)];
        Assert.False(_device.DmaWrite(new Iova(0x1800), data));
        Assert.Equal(-1, _tables.Bytes(page)[0x800..].IndexOfAnyExcept((byte)9));
        Assert.Equal(0x2000UL, Assert.Single(_iommu.TakeFaults()).Iova.Value);
    }

    [Fact]
    public void AccessedAndDirty_AreSetAsTheDeviceUsesThePage()
    {
        ref ulong entry = ref _tables.Map(0x5000, _tables.New());
        byte[] one = [1];
        Assert.True(_device.DmaRead(new Iova(0x5000), one));
        Assert.Equal(HandMadeTables.Accessed, entry & (HandMadeTables.Accessed | HandMadeTables.Dirty));
        Assert.NotEqual(0UL, _tables.Slot(0x5000, 1) & HandMadeTables.Accessed);
        Assert.NotEqual(0UL, _tables.Slot(0x5000, 2) & HandMadeTables.Accessed);

        // The translation is cached, but not as dirty: the first write walks.
        Assert.True(_device.DmaWrite(new Iova(0x5001), one));
        Assert.NotEqual(0UL, entry & HandMadeTables.Dirty);
    }

    [Fact]
    public void CleanedPageWithoutAFlush_LosesTheNextWrite()
    {
        ref ulong entry = ref _tables.Map(0x5000, _tables.New());
        Assert.True(_device.DmaWrite(new Iova(0x5000), [1]));
        Volatile.Write(ref entry, entry & ~HandMadeTables.Dirty);
        Assert.True(_device.DmaWrite(new Iova(0x5000), [2]));
        Assert.Equal(0UL, entry & HandMadeTables.Dirty);
        _iommu.Invalidate(_everything, tablesFreed: false);
        Assert.True(_device.DmaWrite(new Iova(0x5000), [3]));
        Assert.NotEqual(0UL, entry & HandMadeTables.Dirty);
    }

    [Fact]
    public void ClearedEntry_StaysUsableUntilItsInvalidation()
    {
        TablePage page = _tables.New();
        ref ulong entry = ref _tables.Map(0x5000, page);
        Assert.True(_device.DmaWrite(new Iova(0x5000), [1]));
        Volatile.Write(ref entry, 0);
        Assert.True(_device.DmaWrite(new Iova(0x5000), [2]));
        Assert.Equal(2, _tables.Bytes(page)[0]);
        _iommu.Invalidate(new IovaRange(new Iova(0x6000), new Iova(0x6fff)), tablesFreed: true);
        Assert.True(_device.DmaWrite(new Iova(0x5000), [3]));
        _iommu.Invalidate(new IovaRange(new Iova(0x5000), new Iova(0x5fff)), tablesFreed: false);
        Assert.False(_device.DmaWrite(new Iova(0x5000), [4]));
        Assert.Equal(3, _tables.Bytes(page)[0]);
    }

    [Fact]
    public void ChangedPermission_IsSeenAfterTheInvalidationOnly()
    {
        ref ulong entry = ref _tables.Map(0x5000, _tables.New(), HandMadeTables.Read);
        byte[] one = [1];
        Assert.True(_device.DmaRead(new Iova(0x5000), one));
        Volatile.Write(ref entry, entry | HandMadeTables.Write);
        Assert.False(_device.DmaWrite(new Iova(0x5000), one));
        _iommu.Invalidate(_everything, tablesFreed: false);
        Assert.True(_device.DmaWrite(new Iova(0x5000), one));
        Volatile.Write(ref entry, entry & ~HandMadeTables.Write);
        Assert.True(_device.DmaWrite(new Iova(0x5000), one));
        _iommu.Invalidate(_everything, tablesFreed: false);
        Assert.False(_device.DmaWrite(new Iova(0x5000), one));
    }

    [Fact]
    public void ReplacedTable_StaysInUseUntilAnInvalidationSaysThatTablesWereFreed()
    {
        TablePage old = _tables.New();
        TablePage current = _tables.New();
        _tables.Map(0x20_0000, old);
        _tables.Bytes(old)[0] = 1;
        _tables.Bytes(current)[0] = 2;
        byte[] got = [0];
        Assert.True(_device.DmaRead(new Iova(0x20_0000), got));
        Assert.Equal(1, got[0]);
        TablePage table = _tables.New();
        HandMadeTables.Entry(table, 0) = current.Address.Value | HandMadeTables.Read;
        Volatile.Write(ref _tables.Slot(0x20_0000, 1), table.Address.Value | HandMadeTables.Read | HandMadeTables.Write);
        _iommu.Invalidate(_everything, tablesFreed: false);
        Assert.True(_device.DmaRead(new Iova(0x20_0000), got));
        Assert.Equal(1, got[0]);
        _iommu.Invalidate(_everything, tablesFreed: true);
        Assert.True(_device.DmaRead(new Iova(0x20_0000), got));
        Assert.Equal(2, got[0]);
    }

    [Fact]
    public void WithoutACacheOfTables_ALeafInvalidationIsEnough()
    {
        using var plain = new EmulatedIommu(_tables.Memory, new() { CachesTables = false });
        EmulatedDevice device = plain.Attach<VtdSecondStageFormat>(1, _tables.PageTableRoot, 39);
        _tables.Map(0x20_0000, _tables.New());
        byte[] got = [0];
        Assert.True(device.DmaRead(new Iova(0x20_0000), got));
        Volatile.Write(ref _tables.Slot(0x20_0000, 1), 0);
        Assert.True(device.DmaRead(new Iova(0x20_0000), got));
        plain.Invalidate(_everything, tablesFreed: false);
        Assert.False(device.DmaRead(new Iova(0x20_0000), got));
    }

    [Fact]
    public void EmptyTransfer_TouchesNothing()
    {
        Assert.True(_device.DmaRead(new Iova(ulong.MaxValue), []));
        Assert.True(_device.DmaWrite(new Iova(ulong.MaxValue), []));
        Assert.Equal(0, _iommu.FaultCount);
    }

    [Fact]
    public void Attachment_IsOneADeviceAndEndsWithDetach()
    {
        _tables.Map(0x5000, _tables.New());
        Assert.Throws<InvalidOperationException>(() => _iommu.Attach<VtdSecondStageFormat>(3, _tables.PageTableRoot, 39));
        Assert.True(_device.DmaWrite(new Iova(0x5000), [1]));
        Assert.True(_iommu.Detach(3));
        Assert.False(_iommu.Detach(3));
        Assert.False(_iommu.Detach(99));
        Assert.False(_device.IsAttached);
        Assert.False(_device.DmaWrite(new Iova(0x5000), [1]));
        Assert.Equal(IommuFaultReason.NotAttached, Assert.Single(_iommu.TakeFaults()).Reason);
        EmulatedDevice again = _iommu.Attach<VtdSecondStageFormat>(3, _tables.PageTableRoot, 39);
        Assert.Same(_device, again);
        Assert.True(again.DmaWrite(new Iova(0x5000), [1]));
    }

    [Fact]
    public void BadArguments_AreRefused()
    {
        Assert.Throws<ArgumentNullException>(() => new EmulatedIommu(null!));
        Assert.Throws<ArgumentException>(() => new EmulatedIommu(_tables.Memory, new() { IotlbEntries = 100 }));
        Assert.Throws<ArgumentException>(() => new EmulatedIommu(_tables.Memory, new() { FaultCapacity = 0 }));
        Assert.Throws<ArgumentException>(() => _iommu.Attach<VtdSecondStageFormat>(9, _tables.PageTableRoot, 64));
        _iommu.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _iommu.Attach<VtdSecondStageFormat>(9, _tables.PageTableRoot, 39));
        Assert.Throws<ObjectDisposedException>(_iommu.CreateInvalidator);
    }

    [Fact]
    public void FullLog_DropsTheOldestAndCountsAll()
    {
        using var small = new EmulatedIommu(_tables.Memory, new() { FaultCapacity = 3 });
        for (ulong i = 0; i < 5; i++)
        {
            small.DmaRead(1, new Iova(i), new byte[1]);
        }

        Assert.Equal([2UL, 3, 4], small.TakeFaults().Select(f => f.Iova.Value));
        Assert.Equal(5, small.FaultCount);
    }

    [Fact]
    public void Dma_AllocatesNoManagedMemory()
    {
        _tables.Map(0x5000, _tables.New());
        _tables.Map(0x6000, _tables.New());
        byte[] data = new byte[6000];
        _device.DmaWrite(new Iova(0x5000), data);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            _device.DmaWrite(new Iova(0x5000), data);
            _iommu.Invalidate(_everything, tablesFreed: true);
            _device.DmaRead(new Iova(0x5000), data);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(_iommu.Statistics.IotlbHits > 0);
        Assert.True(_iommu.Statistics.IotlbMisses > 0);
    }
}
