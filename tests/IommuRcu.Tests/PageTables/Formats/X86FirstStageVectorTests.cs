// Vectors of x86-64 entries, computed by hand: P 0x1, RW 0x2, U 0x4, A 0x20, D 0x40, PS 0x80.
using static IommuRcu.Tests.PageTables.Formats.FormatVectors;

namespace IommuRcu.Tests.PageTables.Formats;

public sealed class X86FirstStageVectorTests
{
    [Theory]
    [InlineData(12, RW, 0x1234_5000, 0x1234_5067)]
    [InlineData(12, R, 0x1234_5000, 0x1234_5025)]
    [InlineData(21, RW, 0x1240_0000, 0x1240_00E7)]
    [InlineData(21, R, 0x1240_0000, 0x1240_00A5)]
    [InlineData(30, RW, 0x4000_0000, 0x4000_00E7)]
    [InlineData(12, RW, 0x000F_FFFF_FFFF_F000, 0x000F_FFFF_FFFF_F067)]
    public void Leaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected) =>
        Assert.Equal(expected, Leaf<X86FirstStageFormat>(sizeLog2, access, address));

    [Fact]
    public void Table_IsAsSpecified() => Assert.Equal(0x0ABC_D027UL, X86FirstStageFormat.TableEntry(0x0ABC_D000, 2));

    [Theory]
    [InlineData(W)]
    [InlineData(RW | X)]
    [InlineData(RW | C)]
    [InlineData(RW | M)]
    public void Supports_RefusesWhatAnEntryCannotTell(IommuAccess access) => Assert.False(X86FirstStageFormat.Supports(access));

    [Theory]
    [InlineData(39, 0, 0)]
    [InlineData(47, 0, 0)]
    [InlineData(48, 4, 9)]
    [InlineData(57, 5, 9)]
    [InlineData(64, 0, 0)]
    public void Geometry_IsOneThatHardwareCanCheck(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<X86FirstStageFormat>(addressBits, levels, rootIndexBits);
}
