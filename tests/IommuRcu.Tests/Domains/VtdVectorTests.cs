// VT-d second stage against entries computed by hand from the specification (sections 3.7 and 9.9).
using static IommuRcu.Tests.Domains.DomainFixture;

namespace IommuRcu.Tests.Domains;

public class VtdVectorTests
{
    [Fact]
    public void FourKibPage_IsFoundThroughThreeTablesAndHasReadAndWriteBits()
    {
        using var fixture = new DomainFixture(configure: o => o with { AddressBits = 48 });
        fixture.Domain.Map(Iova(0x8080_4040_5000), Pa(0xABCD_E000), 0x1000, IommuAccess.Read | IommuAccess.Write);

        Assert.Equal(4, fixture.Domain.Root.Levels);
        ulong level4 = fixture.Entry(fixture.Domain.Root.Address, 0x101);
        Assert.Equal(3UL, level4 & 0xFFF);
        ulong level3 = fixture.Entry(Pa(level4 & ~0xFFFUL), 0x1);
        ulong level2 = fixture.Entry(Pa(level3 & ~0xFFFUL), 0x2);
        ulong level1 = fixture.Entry(Pa(level2 & ~0xFFFUL), 0x5);
        Assert.Equal(0x0000_0000_ABCD_E003UL, level1);
    }

    [Theory]
    [InlineData(39, 3)]
    [InlineData(48, 4)]
    [InlineData(57, 5)]
    public void AddressBits_DecideTheLevels(int bits, int levels)
    {
        using var fixture = new DomainFixture(configure: o => o with { AddressBits = bits });
        Assert.Equal(levels, fixture.Domain.Root.Levels);
        ulong last = (1UL << bits) - 0x1000;
        fixture.Domain.Map(Iova(last), Pa(0x5000), 0x1000, IommuAccess.Read);
        Assert.True(fixture.Domain.TryTranslate(Iova(last + 0x123), out Translation found));
        Assert.Equal(Pa(0x5123), found.Address);
        Assert.Equal(IommuAccess.Read, found.Access);
        PhysicalAddress table = fixture.Domain.Root.Address;
        for (int level = levels; level > 1; level--)
        {
            table = Pa(fixture.Entry(table, 511) & 0x000F_FFFF_FFFF_F000);
        }

        Assert.Equal(0x5001UL, fixture.Entry(table, 511));
    }

    [Theory]
    [InlineData(0x20_0000, 2, 0x4000_0000 + 0x83)]
    [InlineData(0x4000_0000, 1, 0x4000_0000 + 0x83)]
    public void LargePage_HasThePageSizeBitAtItsLevel(ulong size, int tables, ulong expected)
    {
        using var fixture = new DomainFixture(configure: o => o with { AddressBits = 39 });
        fixture.Domain.Map(Iova(size), Pa(0x4000_0000), size, IommuAccess.Read | IommuAccess.Write);
        PhysicalAddress table = fixture.Domain.Root.Address;
        for (int i = 1; i < tables; i++)
        {
            table = Pa(fixture.Entry(table, 0) & 0x000F_FFFF_FFFF_F000);
        }

        Assert.Equal(expected, fixture.Entry(table, 1));
        Assert.True(fixture.Domain.TryTranslate(Iova(size + 0x1234), out Translation found));
        Assert.Equal(size, found.PageSize);
        Assert.Equal(Pa(0x4000_1234), found.Address);
    }

    [Fact]
    public void CacheableAccess_SetsTheSnoopBit()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0), Pa(0x7000), 0x1000, IommuAccess.Write | IommuAccess.Cacheable);
        Assert.True(fixture.Domain.TryTranslate(Iova(0), out Translation found));
        Assert.Equal(0x7802UL, found.RawEntry);
        Assert.Equal(IommuAccess.Write | IommuAccess.Cacheable, found.Access);
    }

    [Fact]
    public void PageSize_IsChosenAgainAsAlignmentChanges()
    {
        using var fixture = new DomainFixture();

        // 4 KiB below a 2 MiB boundary, 1 GiB and 2 MiB above it, 4 KiB behind: the addresses are congruent all along.
        ulong start = 0x4000_0000 - 0x1000;
        ulong size = 0x1000 + 0x4000_0000UL + 0x20_0000 + 0x1000;
        fixture.Domain.Map(Iova(start), Pa(0x8000_0000 - 0x1000), size, IommuAccess.Read);
        var sizes = new List<ulong>();
        using (Rcu.ReadLock())
        {
            foreach (PageTableLeaf leaf in fixture.Domain.Walk(Iova(start), size))
            {
                sizes.Add(leaf.Size);
            }
        }

        Assert.Equal([0x1000UL, 0x4000_0000UL, 0x20_0000UL, 0x1000UL], sizes);
        Assert.Equal(size, fixture.Domain.Unmap(Iova(start), size));
    }
}
