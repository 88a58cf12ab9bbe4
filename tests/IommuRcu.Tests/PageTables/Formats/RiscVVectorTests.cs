// Vectors of RISC-V entries, computed by hand: V 0x1, R 0x2, W 0x4, X 0x8, U 0x10, A 0x40, D 0x80; the page number (address >> 12) at bit 10; PBMT at bits
// 61 and 62 (I/O is 2); N bit 63, with 1000 in the low bits of the page number for 64 KiB.
using static IommuRcu.Tests.PageTables.Formats.FormatVectors;

namespace IommuRcu.Tests.PageTables.Formats;

public sealed class RiscVVectorTests
{
    [Theory]
    [InlineData(12, RW, 0x1234_5000, 0x048D_14D7)]
    [InlineData(12, R, 0x1234_5000, 0x048D_1453)]
    [InlineData(12, R | X, 0x1234_5000, 0x048D_145B)]
    [InlineData(12, X, 0x1234_5000, 0x048D_1459)]
    [InlineData(12, RW | X, 0x1234_5000, 0x048D_14DF)]
    [InlineData(12, RW | M, 0x1234_5000, 0x4000_0000_048D_14D7)]
    [InlineData(16, RW, 0x1234_0000, 0x8000_0000_048D_20D7)] // Svnapot
    [InlineData(16, R | M, 0x1234_0000, 0xC000_0000_048D_2053)]
    [InlineData(21, RW, 0x1240_0000, 0x0490_00D7)]
    [InlineData(30, RW, 0x4000_0000, 0x1000_00D7)]
    [InlineData(39, RW, 0x80_0000_0000, 0x20_0000_00D7)]
    [InlineData(48, RW, 0x1_0000_0000_0000, 0x4000_0000_00D7)]
    [InlineData(12, RW, 0xFF_FFFF_FFFF_F000, 0x3F_FFFF_FFFF_FCD7)]
    public void Leaf_IsAsSpecified(int sizeLog2, IommuAccess access, ulong address, ulong expected)
    {
        Assert.Equal(expected, Leaf<RiscVFirstStageFormat>(sizeLog2, access, address));
        Assert.Equal(expected, Leaf<RiscVSecondStageFormat>(sizeLog2, access, address));
    }

    [Fact]
    public void Table_IsValidAndThePageNumberAlone()
    {
        Assert.Equal(0x02AF_3401UL, RiscVFirstStageFormat.TableEntry(0x0ABC_D000, 2));
        Assert.Equal(0x02AF_3401UL, RiscVSecondStageFormat.TableEntry(0x0ABC_D000, 2));
    }

    [Theory]
    [InlineData(W)] // reserved encodings
    [InlineData(W | X)]
    [InlineData(RW | C)]
    [InlineData(R | X | M)]
    public void Supports_RefusesReservedEncodings(IommuAccess access)
    {
        Assert.False(RiscVFirstStageFormat.Supports(access));
        Assert.False(RiscVSecondStageFormat.Supports(access));
    }

    [Theory]
    [InlineData(39, 3, 9)] // Sv39
    [InlineData(48, 4, 9)] // Sv48
    [InlineData(57, 5, 9)] // Sv57
    [InlineData(40, 0, 0)]
    public void FirstStageGeometry_IsOneThatHardwareCanCheck(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<RiscVFirstStageFormat>(addressBits, levels, rootIndexBits);

    [Theory]
    [InlineData(41, 3, 11)] // Sv39x4
    [InlineData(50, 4, 11)] // Sv48x4
    [InlineData(59, 5, 11)] // Sv57x4
    [InlineData(60, 0, 0)]
    public void SecondStageGeometry_HasARootOfSixteenKibibytes(int addressBits, int levels, int rootIndexBits) =>
        AssertGeometry<RiscVSecondStageFormat>(addressBits, levels, rootIndexBits);
}
