// Vectors of VT-d second-stage entries, computed by hand: R 0x1, W 0x2, PS 0x80, A 0x100, D 0x200, SNP 0x800.
using static IommuRcu.Tests.PageTables.Formats.FormatVectors;

namespace IommuRcu.Tests.PageTables.Formats;

public sealed class VtdSecondStageVectorTests
{
    [Theory]
    [InlineData(12, RW, 0x1234_5000, 0x0000_0000_1234_5003)]
    [InlineData(12, R, 0x1234_5000, 0x0000_0000_1234_5001)]
    [InlineData(12, W, 0x1234_5000, 0x0000_0000_1234_5002)]
    [InlineData(12, RW | C, 0x1234_5000, 0x0000_0000_1234_5803)]
    [InlineData(21, RW, 0x1240_0000, 0x0000_0000_1240_0083)]
    [InlineData(30, R | C, 0x4000_0000, 0x0000_0000_4000_0881)]
    [InlineData(12, RW, 0x000F_FFFF_FFFF_F000, 0x000F_FFFF_FFFF_F003)]
    public void Leaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected) =>
        Assert.Equal(expected, Leaf<VtdSecondStageFormat>(sizeLog2, access, address));

    [Fact]
    public void Table_IsAsSpecified() => Assert.Equal(0x0ABC_D003UL, VtdSecondStageFormat.TableEntry(0x0ABC_D000, 2));

    [Theory]
    [InlineData(39, 3, 9)]
    [InlineData(48, 4, 9)]
    [InlineData(57, 5, 9)]
    [InlineData(58, 0, 0)]
    public void Geometry_IsAsSpecified(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<VtdSecondStageFormat>(addressBits, levels, rootIndexBits);
}
