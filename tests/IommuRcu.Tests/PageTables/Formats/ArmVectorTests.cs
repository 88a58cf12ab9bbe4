// Vectors of VMSAv8-64 descriptors, computed by hand. Both stages: valid 0x1, table or page 0x2, SH 0x200 outer or 0x300 inner, AF 0x400, DBM bit 51,
// contiguous bit 52. Stage 1: AttrIndx << 2, unprivileged 0x40, read-only 0x80, nG 0x800, PXN and UXN bits 53 and 54. Stage 2: MemAttr << 2, read 0x40, write 0x80, XN bit 54.
using static IommuRcu.Tests.PageTables.Formats.FormatVectors;

namespace IommuRcu.Tests.PageTables.Formats;

public sealed class ArmVectorTests
{
    [Theory]
    [InlineData(12, RW | C, 0x1234_5000, 0x0068_0000_1234_5F47)]
    [InlineData(12, RW, 0x1234_5000, 0x0068_0000_1234_5E43)]
    [InlineData(12, R, 0x1234_5000, 0x0060_0000_1234_5EC3)]
    [InlineData(12, RW | M, 0x1234_5000, 0x0068_0000_1234_5E4B)]
    [InlineData(12, RW | X, 0x1234_5000, 0x0008_0000_1234_5E43)]
    [InlineData(12, R | X | C, 0x1234_5000, 0x0000_0000_1234_5FC7)]
    [InlineData(16, RW, 0x1234_0000, 0x0078_0000_1234_0E43)]
    [InlineData(21, RW, 0x1240_0000, 0x0068_0000_1240_0E41)]
    [InlineData(25, RW, 0x1200_0000, 0x0078_0000_1200_0E41)]
    [InlineData(30, RW, 0x4000_0000, 0x0068_0000_4000_0E41)]
    [InlineData(12, RW, 0xFFFF_FFFF_F000, 0x0068_FFFF_FFFF_FE43)]
    public void Stage1Granule4KLeaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected) =>
        Assert.Equal(expected, Leaf<ArmStage1Format<ArmGranule4K>>(sizeLog2, access, address));

    [Theory]
    [InlineData(14, RW, 0x1234_4000, 0x0068_0000_1234_4E43)]
    [InlineData(21, RW, 0x1240_0000, 0x0078_0000_1240_0E43)] // 128 pages
    [InlineData(25, RW, 0x1200_0000, 0x0068_0000_1200_0E41)]
    [InlineData(30, RW, 0x4000_0000, 0x0078_0000_4000_0E41)] // 32 blocks
    public void Stage1Granule16KLeaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected) =>
        Assert.Equal(expected, Leaf<ArmStage1Format<ArmGranule16K>>(sizeLog2, access, address));

    [Theory]
    [InlineData(16, RW, 0x1234_0000, 0x0068_0000_1234_0E43)]
    [InlineData(21, RW, 0x1240_0000, 0x0078_0000_1240_0E43)] // 32 pages
    [InlineData(29, RW, 0x2000_0000, 0x0068_0000_2000_0E41)]
    [InlineData(34, RW, 0x4_0000_0000, 0x0078_0004_0000_0E41)] // 32 blocks
    public void Stage1Granule64KLeaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected) =>
        Assert.Equal(expected, Leaf<ArmStage1Format<ArmGranule64K>>(sizeLog2, access, address));

    [Theory]
    [InlineData(12, RW | C, 0x1234_5000, 0x0048_0000_1234_57FF)]
    [InlineData(12, RW, 0x1234_5000, 0x0048_0000_1234_56D7)]
    [InlineData(12, R, 0x1234_5000, 0x0040_0000_1234_5657)]
    [InlineData(12, W, 0x1234_5000, 0x0048_0000_1234_5697)]
    [InlineData(12, RW | M, 0x1234_5000, 0x0048_0000_1234_56C7)]
    [InlineData(12, R | X, 0x1234_5000, 0x0000_0000_1234_5657)]
    [InlineData(16, RW, 0x1234_0000, 0x0058_0000_1234_06D7)]
    [InlineData(21, RW, 0x1240_0000, 0x0048_0000_1240_06D5)]
    [InlineData(25, RW, 0x1200_0000, 0x0058_0000_1200_06D5)]
    [InlineData(30, RW, 0x4000_0000, 0x0048_0000_4000_06D5)]
    public void Stage2Granule4KLeaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected) =>
        Assert.Equal(expected, Leaf<ArmStage2Format<ArmGranule4K>>(sizeLog2, access, address));

    [Theory]
    [InlineData(14, RW, 0x1234_4000, 0x0048_0000_1234_46D7)]
    [InlineData(21, RW, 0x1240_0000, 0x0058_0000_1240_06D7)]
    [InlineData(25, RW, 0x1200_0000, 0x0048_0000_1200_06D5)]
    [InlineData(30, RW, 0x4000_0000, 0x0058_0000_4000_06D5)]
    public void Stage2Granule16KLeaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected) =>
        Assert.Equal(expected, Leaf<ArmStage2Format<ArmGranule16K>>(sizeLog2, access, address));

    [Theory]
    [InlineData(16, RW, 0x1234_0000, 0x0048_0000_1234_06D7)]
    [InlineData(21, RW, 0x1240_0000, 0x0058_0000_1240_06D7)]
    [InlineData(29, RW, 0x2000_0000, 0x0048_0000_2000_06D5)]
    [InlineData(34, RW, 0x4_0000_0000, 0x0058_0004_0000_06D5)]
    public void Stage2Granule64KLeaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected) =>
        Assert.Equal(expected, Leaf<ArmStage2Format<ArmGranule64K>>(sizeLog2, access, address));

    [Fact]
    public void PageSizes_AreTheLevelsAndTheirRuns()
    {
        Assert.Equal((1UL << 12) | (1UL << 16) | (1UL << 21) | (1UL << 25) | (1UL << 30), ArmStage1Format<ArmGranule4K>.PageSizes);
        Assert.Equal((1UL << 14) | (1UL << 21) | (1UL << 25) | (1UL << 30), ArmStage1Format<ArmGranule16K>.PageSizes);
        Assert.Equal((1UL << 16) | (1UL << 21) | (1UL << 29) | (1UL << 34), ArmStage1Format<ArmGranule64K>.PageSizes);
    }

    [Fact]
    public void Table_IsValidAndTheAddressAlone()
    {
        Assert.Equal(0x0ABC_D003UL, ArmStage1Format<ArmGranule4K>.TableEntry(0x0ABC_D000, 2));
        Assert.Equal(0x0ABC_C003UL, ArmStage2Format<ArmGranule16K>.TableEntry(0x0ABC_C000, 1));
        Assert.Equal(0x0ABC_0003UL, ArmStage2Format<ArmGranule64K>.TableEntry(0x0ABC_0000, 1));
    }

    [Fact]
    public void Dirty_IsWrittenThroughTheModifier()
    {
        // Stage 1: clean is read-only; stage 2: clean is not writable. The page stays one that may be written.
        const ulong Stage1 = 0x0068_0000_1234_5E43;
        const ulong Stage2 = 0x0048_0000_1234_56D7;
        Assert.Equal(0x0068_0000_1234_5EC3UL, ArmStage1Format<ArmGranule4K>.WithoutDirty(Stage1));
        Assert.Equal(0x0048_0000_1234_5657UL, ArmStage2Format<ArmGranule4K>.WithoutDirty(Stage2));
        Assert.Equal(Stage1, ArmStage1Format<ArmGranule4K>.WithDirty(0x0068_0000_1234_5EC3));
        Assert.Equal(Stage2, ArmStage2Format<ArmGranule4K>.WithDirty(0x0048_0000_1234_5657));

        // Without the modifier the state is not tracked.
        Assert.Equal(0x0060_0000_1234_5EC3UL, ArmStage1Format<ArmGranule4K>.WithDirty(0x0060_0000_1234_5EC3));
        Assert.Equal(0x0040_0000_1234_5657UL, ArmStage2Format<ArmGranule4K>.WithDirty(0x0040_0000_1234_5657));
    }

    [Theory]
    [InlineData(W)] // stage 1 has no write-only page
    [InlineData(R | C | M)]
    [InlineData(R | X | M)]
    public void Stage1Supports_RefusesWhatADescriptorCannotTell(IommuAccess access) =>
        Assert.False(ArmStage1Format<ArmGranule4K>.Supports(access));

    [Theory]
    [InlineData(W | X)]
    [InlineData(R | C | M)]
    [InlineData(R | X | M)]
    public void Stage2Supports_RefusesWhatADescriptorCannotTell(IommuAccess access) =>
        Assert.False(ArmStage2Format<ArmGranule4K>.Supports(access));

    [Theory]
    [InlineData(24, 0, 0)]
    [InlineData(25, 2, 4)]
    [InlineData(30, 2, 9)]
    [InlineData(31, 3, 1)]
    [InlineData(39, 3, 9)]
    [InlineData(40, 4, 1)]
    [InlineData(48, 4, 9)]
    [InlineData(49, 0, 0)]
    public void Stage1Granule4KGeometry_HasAPartialRoot(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<ArmStage1Format<ArmGranule4K>>(addressBits, levels, rootIndexBits);

    [Theory]
    [InlineData(25, 1, 11)]
    [InlineData(36, 2, 11)]
    [InlineData(47, 3, 11)]
    [InlineData(48, 4, 1)]
    public void Stage1Granule16KGeometry_HasAPartialRoot(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<ArmStage1Format<ArmGranule16K>>(addressBits, levels, rootIndexBits);

    [Theory]
    [InlineData(29, 1, 13)]
    [InlineData(30, 2, 1)]
    [InlineData(42, 2, 13)]
    [InlineData(48, 3, 6)]
    public void Stage1Granule64KGeometry_HasAPartialRoot(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<ArmStage1Format<ArmGranule64K>>(addressBits, levels, rootIndexBits);

    [Theory]
    [InlineData(30, 2, 9)]
    [InlineData(31, 2, 10)] // 2 tables side by side
    [InlineData(34, 2, 13)] // 16
    [InlineData(35, 3, 5)]
    [InlineData(39, 3, 9)]
    [InlineData(40, 3, 10)]
    [InlineData(43, 3, 13)]
    [InlineData(44, 4, 5)]
    [InlineData(48, 4, 9)]
    public void Stage2Granule4KGeometry_PutsTablesSideBySide(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<ArmStage2Format<ArmGranule4K>>(addressBits, levels, rootIndexBits);

    [Theory]
    [InlineData(40, 2, 15)]
    [InlineData(41, 3, 5)]
    [InlineData(48, 3, 12)] // the only form of this width
    public void Stage2Granule16KGeometry_PutsTablesSideBySide(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<ArmStage2Format<ArmGranule16K>>(addressBits, levels, rootIndexBits);

    [Theory]
    [InlineData(30, 2, 1)] // not down to the last level
    [InlineData(46, 2, 17)]
    [InlineData(47, 3, 5)]
    [InlineData(48, 3, 6)]
    public void Stage2Granule64KGeometry_PutsTablesSideBySide(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<ArmStage2Format<ArmGranule64K>>(addressBits, levels, rootIndexBits);
}
