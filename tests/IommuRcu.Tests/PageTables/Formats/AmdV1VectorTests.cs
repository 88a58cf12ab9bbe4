// Vectors of AMD v1 entries, computed by hand: PR 0x1, next level << 9, FC bit 60, IR bit 61, IW bit 62; a coded size has next level 7 (0xE00), and ones
// from bit 12 up to bit log2(size) - 2.
using static IommuRcu.Tests.PageTables.Formats.FormatVectors;

namespace IommuRcu.Tests.PageTables.Formats;

public sealed class AmdV1VectorTests
{
    [Theory]
    [InlineData(12, RW, 0x1234_5000, 0x6000_0000_1234_5001)]
    [InlineData(12, R, 0x1234_5000, 0x2000_0000_1234_5001)]
    [InlineData(12, W, 0x1234_5000, 0x4000_0000_1234_5001)]
    [InlineData(12, RW | C, 0x1234_5000, 0x7000_0000_1234_5001)]
    [InlineData(13, RW, 0x1234_6000, 0x6000_0000_1234_6E01)] // 8 KiB: no ones
    [InlineData(14, RW, 0x1234_4000, 0x6000_0000_1234_5E01)] // 16 KiB: one
    [InlineData(15, RW, 0x1234_8000, 0x6000_0000_1234_BE01)]
    [InlineData(16, RW, 0x1235_0000, 0x6000_0000_1235_7E01)]
    [InlineData(17, RW, 0x1234_0000, 0x6000_0000_1234_FE01)]
    [InlineData(18, RW, 0x1234_0000, 0x6000_0000_1235_FE01)]
    [InlineData(19, RW, 0x1238_0000, 0x6000_0000_123B_FE01)]
    [InlineData(20, RW, 0x1230_0000, 0x6000_0000_1237_FE01)]
    [InlineData(21, RW, 0x1240_0000, 0x6000_0000_1240_0001)] // level 1's own
    [InlineData(22, RW, 0x1240_0000, 0x6000_0000_125F_FE01)]
    [InlineData(23, RW, 0x1280_0000, 0x6000_0000_12BF_FE01)]
    [InlineData(24, RW, 0x1200_0000, 0x6000_0000_127F_FE01)]
    [InlineData(25, RW, 0x1200_0000, 0x6000_0000_12FF_FE01)]
    [InlineData(26, RW, 0x1400_0000, 0x6000_0000_15FF_FE01)]
    [InlineData(27, RW, 0x1800_0000, 0x6000_0000_1BFF_FE01)]
    [InlineData(28, RW, 0x1000_0000, 0x6000_0000_17FF_FE01)]
    [InlineData(29, RW, 0x2000_0000, 0x6000_0000_2FFF_FE01)]
    [InlineData(30, RW, 0x4000_0000, 0x6000_0000_4000_0001)] // level 2's own
    [InlineData(31, RW, 0x8000_0000, 0x6000_0000_BFFF_FE01)]
    [InlineData(32, RW, 0x1_0000_0000, 0x6000_0001_7FFF_FE01)] // 4 GiB
    [InlineData(33, RW, 0x2_0000_0000, 0x6000_0002_FFFF_FE01)]
    [InlineData(34, RW, 0x4_0000_0000, 0x6000_0005_FFFF_FE01)]
    [InlineData(35, RW, 0x8_0000_0000, 0x6000_000B_FFFF_FE01)]
    [InlineData(36, RW, 0x10_0000_0000, 0x6000_0017_FFFF_FE01)]
    [InlineData(37, RW, 0x20_0000_0000, 0x6000_002F_FFFF_FE01)]
    [InlineData(38, RW, 0x40_0000_0000, 0x6000_005F_FFFF_FE01)]
    [InlineData(40, RW, 0x100_0000_0000, 0x6000_017F_FFFF_FE01)] // level 3; its own size is the one left out
    [InlineData(41, RW, 0x200_0000_0000, 0x6000_02FF_FFFF_FE01)]
    [InlineData(42, RW, 0x400_0000_0000, 0x6000_05FF_FFFF_FE01)]
    [InlineData(43, RW, 0x800_0000_0000, 0x6000_0BFF_FFFF_FE01)]
    [InlineData(44, RW, 0x1000_0000_0000, 0x6000_17FF_FFFF_FE01)]
    [InlineData(45, RW, 0x2000_0000_0000, 0x6000_2FFF_FFFF_FE01)]
    [InlineData(46, RW, 0x4000_0000_0000, 0x6000_5FFF_FFFF_FE01)]
    [InlineData(47, RW, 0x8000_0000_0000, 0x6000_BFFF_FFFF_FE01)]
    [InlineData(48, RW, 0x1_0000_0000_0000, 0x6001_0000_0000_0001)] // level 4's own
    [InlineData(49, RW, 0x2_0000_0000_0000, 0x6002_FFFF_FFFF_FE01)]
    [InlineData(50, RW, 0x4_0000_0000_0000, 0x6005_FFFF_FFFF_FE01)]
    [InlineData(51, RW, 0x8_0000_0000_0000, 0x600B_FFFF_FFFF_FE01)] // the largest
    [InlineData(12, RW, 0xF_FFFF_FFFF_F000, 0x600F_FFFF_FFFF_F001)]
    public void Leaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected) =>
        Assert.Equal(expected, Leaf<AmdV1Format>(sizeLog2, access, address));

    [Theory]
    [InlineData(1, 0x6000_0000_0ABC_D201)]
    [InlineData(2, 0x6000_0000_0ABC_D401)]
    [InlineData(3, 0x6000_0000_0ABC_D601)]
    [InlineData(4, 0x6000_0000_0ABC_D801)]
    [InlineData(5, 0x6000_0000_0ABC_DA01)]
    public void Table_NamesTheLevelBelowAndPermitsAll(int level, ulong expected) =>
        Assert.Equal(expected, AmdV1Format.TableEntry(0x0ABC_D000, level));

    [Fact]
    public void PageSizes_AreEveryPowerOfTwoButOne()
    {
        for (int sizeLog2 = 0; sizeLog2 < 64; sizeLog2++)
        {
            Assert.Equal(sizeLog2 is >= 12 and <= 51 and not 39, (AmdV1Format.PageSizes & (1UL << sizeLog2)) != 0);
        }
    }

    [Theory]
    [InlineData(39, 3, 9)]
    [InlineData(48, 4, 9)]
    [InlineData(57, 5, 9)]
    [InlineData(64, 6, 7)]
    [InlineData(65, 0, 0)]
    public void Geometry_IsAsSpecified(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<AmdV1Format>(addressBits, levels, rootIndexBits);
}
