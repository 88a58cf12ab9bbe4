// Contiguous runs, item by item: any item may be the one that hardware makes dirty.
namespace IommuRcu.Tests.PageTables.Formats;

public sealed class ContiguousRunTests
{
    [Theory]
    [InlineData(13)]
    [InlineData(16)]
    [InlineData(20)]
    [InlineData(24)]
    [InlineData(32)]
    [InlineData(40)]
    public void AmdV1_AnyItemDirtiesItsRun(int sizeLog2) => AnyItemDirtiesItsRun<AmdV1Format>(sizeLog2, 48);

    [Theory]
    [InlineData(16)]
    [InlineData(25)]
    public void ArmGranule4K_AnyItemDirtiesItsRun(int sizeLog2)
    {
        AnyItemDirtiesItsRun<ArmStage1Format<ArmGranule4K>>(sizeLog2, 39);
        AnyItemDirtiesItsRun<ArmStage2Format<ArmGranule4K>>(sizeLog2, 40);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(30)]
    public void ArmGranule16K_AnyItemDirtiesItsRun(int sizeLog2)
    {
        AnyItemDirtiesItsRun<ArmStage1Format<ArmGranule16K>>(sizeLog2, 48);
        AnyItemDirtiesItsRun<ArmStage2Format<ArmGranule16K>>(sizeLog2, 48);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(34)]
    public void ArmGranule64K_AnyItemDirtiesItsRun(int sizeLog2)
    {
        AnyItemDirtiesItsRun<ArmStage1Format<ArmGranule64K>>(sizeLog2, 48);
        AnyItemDirtiesItsRun<ArmStage2Format<ArmGranule64K>>(sizeLog2, 46);
    }

    [Fact]
    public void RiscV_AnyItemDirtiesItsRun()
    {
        AnyItemDirtiesItsRun<RiscVFirstStageFormat>(16, 39);
        AnyItemDirtiesItsRun<RiscVSecondStageFormat>(16, 41);
    }

    [Fact]
    public unsafe void AmdV1Run_HoldsTheIdenticalEntryInEverySlot()
    {
        using var tested = new FormatDomain<AmdV1Format>(48);
        tested.Domain.Map(new Iova(0x10_0000), new PhysicalAddress(0x1230_0000), 0x10_0000, IommuAccess.Read | IommuAccess.Write);
        for (ulong offset = 0; offset < 0x10_0000; offset += 0x1000)
        {
            Assert.Equal(0x6000_0000_1237_FE01UL, *tested.FindLeaf(0x10_0000 + offset, out int level));
            Assert.Equal(0, level);
        }
    }

    [Fact]
    public unsafe void ArmRun_HoldsEachItemsOwnAddress()
    {
        using var tested = new FormatDomain<ArmStage1Format<ArmGranule4K>>(48);
        tested.Domain.Map(new Iova(0x1_0000), new PhysicalAddress(0x1234_0000), 0x1_0000, IommuAccess.Read | IommuAccess.Write);
        for (ulong offset = 0; offset < 0x1_0000; offset += 0x1000)
        {
            Assert.Equal(0x0078_0000_1234_0E43UL + offset, *tested.FindLeaf(0x1_0000 + offset, out int level));
            Assert.Equal(0, level);
        }
    }

    [Fact]
    public unsafe void RiscVRun_HoldsTheIdenticalEntryInEverySlot()
    {
        using var tested = new FormatDomain<RiscVFirstStageFormat>(39);
        tested.Domain.Map(new Iova(0x1_0000), new PhysicalAddress(0x1234_0000), 0x1_0000, IommuAccess.Read | IommuAccess.Write);
        for (ulong offset = 0; offset < 0x1_0000; offset += 0x1000)
        {
            Assert.Equal(0x8000_0000_048D_20D7UL, *tested.FindLeaf(0x1_0000 + offset, out int level));
            Assert.Equal(0, level);
        }
    }

    private static void AnyItemDirtiesItsRun<TFormat>(int sizeLog2, int addressBits)
        where TFormat : struct, IPageTableFormat
    {
        using var tested = new FormatDomain<TFormat>(addressBits);
        ulong size = 1UL << sizeLog2;
        int level = (sizeLog2 - TFormat.GranuleLog2) / (TFormat.GranuleLog2 - 3);
        int itemLog2 = TFormat.GranuleLog2 + ((TFormat.GranuleLog2 - 3) * level);
        int items = 1 << (sizeLog2 - itemLog2);
        ulong first = size;
        tested.Domain.Map(new Iova(first), new PhysicalAddress(3 * size), size, IommuAccess.Read | IommuAccess.Write);
        Assert.Equal(size, Assert.Single(tested.Walk()).Size);
        ReadDirty(tested, first, size); // some formats start dirty
        Assert.False(Assert.Single(tested.Walk()).IsDirty);

        for (int item = 0; item < items; item += item < 20 || item > items - 20 ? 1 : 7)
        {
            tested.Write(first + ((ulong)item << itemLog2));
            Assert.True(Assert.Single(tested.Walk()).IsDirty);
            Assert.Equal(items < 2 ? 0 : 2, ReadDirty(tested, first, size)); // two granules of half a run: the whole of it
            Assert.False(Assert.Single(tested.Walk()).IsDirty);
            Assert.Equal(0, ReadDirty(tested, first, size));
        }

        // Unmapping harvests it as well.
        tested.Write(first + size - 1);
        var harvested = new DirtyBitmap(new Iova(first), size, sizeLog2 - 1);
        var gather = new IotlbGather(tested.Domain);
        Assert.Equal(size, tested.Domain.Unmap(new Iova(first), size, ref gather, harvested));
        gather.Sync();
        Assert.Equal(2, harvested.Count);
    }

    private static long ReadDirty<TFormat>(FormatDomain<TFormat> tested, ulong first, ulong size)
        where TFormat : struct, IPageTableFormat
    {
        var bitmap = new DirtyBitmap(new Iova(first), size, System.Numerics.BitOperations.Log2(size) - 1);
        tested.Domain.ReadDirty(new Iova(first), size, bitmap, DirtyReadMode.ReadAndClear);
        return bitmap.Count;
    }
}
