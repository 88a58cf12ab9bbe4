// Tables that become empty by partial unmaps leave the tree, and their number stays bounded by what is mapped.
using static IommuRcu.Tests.Domains.DomainFixture;

namespace IommuRcu.Tests.Domains;

public class ReclaimTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    [Theory]
    [MemberData(nameof(AllFormats.Names), MemberType = typeof(AllFormats))]
    public void TableEmptiedPageByPage_IsReclaimedOnRequest(string format)
    {
        using DomainFixture fixture = AllFormats.Open(format);
        ulong granule = 1UL << fixture.Domain.GranuleLog2;
        long before = fixture.Allocator.LivePages;
        for (ulong i = 0; i < 8; i++)
        {
            fixture.Domain.Map(Iova(i * granule), Pa(granule * (i + 3)), granule, ReadWrite);
        }

        Assert.True(fixture.Allocator.LivePages > before);
        for (ulong i = 0; i < 8; i++)
        {
            Assert.Equal(granule, fixture.Domain.Unmap(Iova(i * granule), granule));
        }

        int reclaimed = fixture.Domain.ReclaimEmptyTables();
        Rcu.Barrier();
        Assert.True(reclaimed > 0);
        Assert.Equal(before, fixture.Allocator.LivePages);
        Assert.Contains(fixture.Hardware.Calls, c => c.TablesFreed);

        fixture.Domain.Map(Iova(0), Pa(granule), granule, ReadWrite);
        Assert.True(fixture.Domain.TryTranslate(Iova(0), out _));
    }

    [Fact]
    public void KeepEmptyTables_KeepsThem()
    {
        using var fixture = new DomainFixture(configure: o => o with { KeepEmptyTables = true });
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, ReadWrite);
        long mapped = fixture.Allocator.LivePages;
        fixture.Domain.Unmap(Iova(0), 0x1000);
        Assert.Equal(0, fixture.Domain.ReclaimEmptyTables());
        Assert.Equal(mapped, fixture.Allocator.LivePages);
    }

    [Theory]
    [InlineData("vtd-48")]
    [InlineData("amd-48")]
    [InlineData("x86-48")]
    public void CycleThroughSixteenTebibytes_KeepsTableMemoryBounded(string format)
    {
        using DomainFixture fixture = AllFormats.Open(format);
        const ulong Stride = 512UL << 20;
        long peak = 0;
        for (ulong at = 0; at < 16UL << 40; at += Stride)
        {
            fixture.Domain.Map(Iova(at), Pa(0x1000), 0x1000, ReadWrite);
            Assert.Equal(0x1000UL, fixture.Domain.Unmap(Iova(at), 0x1000));
            if (at % (Stride << 8) == 0)
            {
                // The reclaimed tables wait for a grace period: let it pass, so that the count is of the tables in the tree.
                Rcu.Barrier();
                peak = Math.Max(peak, fixture.Allocator.LivePages);
            }
        }

        Assert.InRange(peak, 1, 256);
    }

    [Theory]
    [InlineData("vtd-48")]
    [InlineData("amd-48")]
    [InlineData("arm1-16k")]
    public void TablesThatAreKeptBack_AreBoundedHoweverManyWereEmptied(string format)
    {
        using DomainFixture fixture = AllFormats.Open(format, o => o with { AddressBits = 42 });
        ulong granule = 1UL << fixture.Domain.GranuleLog2;
        ulong table = granule << (fixture.Domain.GranuleLog2 - 3);
        ulong tables = Math.Min(2000, (1UL << 42) / table);
        long bound = 0;
        for (ulong i = 0; i < tables; i++)
        {
            fixture.Domain.Map(Iova(i * table), Pa(granule), granule, ReadWrite);
            bound = fixture.Allocator.LivePages;
        }

        // All are there, and then each loses its only page.
        Assert.True(bound > (long)tables);
        for (ulong i = 0; i < tables; i++)
        {
            Assert.Equal(granule, fixture.Domain.Unmap(Iova(i * table), granule));
        }

        // Kept back: one for each of 16 hashes, fewer than 32 that wait for a pass; and what is above them.
        Rcu.Barrier();
        int kept = PageTableDump.Tables(fixture.Domain).Count(t => t.Level == 0);
        Assert.InRange(kept, 0, 16 + 31);
        Assert.InRange(fixture.Allocator.LivePages, 1, 16 + 31 + 16);
        Assert.Equal(kept > 0, fixture.Domain.ReclaimEmptyTables() > 0);
        Rcu.Barrier();
        Assert.Equal(1, fixture.Allocator.LivePages);
    }

    [Fact]
    public void KeepEmptyTables_CyclesThroughTheSameTablesWithoutAllocating()
    {
        using var fixture = new DomainFixture(configure: o => o with { KeepEmptyTables = true });
        long allocated = 0;
        for (int round = 0; round < 3; round++)
        {
            for (ulong i = 0; i < 100; i++)
            {
                fixture.Domain.Map(Iova(i << 21), Pa(0x1000), 0x1000, ReadWrite);
                fixture.Domain.Unmap(Iova(i << 21), 0x1000);
            }

            Assert.True(round == 0 || allocated == fixture.Allocator.AllocatedPages);
            allocated = fixture.Allocator.AllocatedPages;
        }

        Assert.Equal(100, PageTableDump.Tables(fixture.Domain).Count(t => t.Level == 0));
        Assert.DoesNotContain(fixture.Hardware.Calls, c => c.TablesFreed);
    }

    [Fact]
    public void WholeTableUnmapped_LeavesAtOnceThroughTheGather()
    {
        using var fixture = new DomainFixture();
        long before = fixture.Allocator.LivePages;
        fixture.Domain.Map(Iova(0x20_0000), Pa(0x1000), 0x20_0000, ReadWrite);
        long mapped = fixture.Allocator.LivePages;
        var gather = new IotlbGather(fixture.Domain);
        Assert.Equal(0x20_0000UL, fixture.Domain.Unmap(Iova(0x20_0000), 0x20_0000, ref gather));
        Assert.Equal(1, gather.PageCount);
        Assert.Empty(fixture.Hardware.Calls);
        Assert.Equal(mapped, fixture.Allocator.LivePages);
        gather.Sync();
        Assert.Equal([(new IovaRange(Iova(0x20_0000), Iova(0x3F_FFFF)), true)], fixture.Hardware.Calls);
        Rcu.Barrier();
        Assert.Equal(before + 2, fixture.Allocator.LivePages);
    }

    [Fact]
    public void LargerPageOverEmptyTables_FreesThemAfterAFlush()
    {
        using var fixture = new DomainFixture(configure: o => o with { KeepEmptyTables = true });
        fixture.Domain.Map(Iova(0x4000_0000), Pa(0x1000), 0x1000, ReadWrite);
        fixture.Domain.Unmap(Iova(0x4000_0000), 0x1000);
        long before = fixture.Allocator.LivePages;
        fixture.Hardware.Calls.Clear();
        fixture.Domain.Map(Iova(0x4000_0000), Pa(0x4000_0000), 0x4000_0000, ReadWrite);
        Assert.Equal([(new IovaRange(Iova(0x4000_0000), Iova(0x7FFF_FFFF)), true)], fixture.Hardware.Calls);
        Rcu.Barrier();
        Assert.Equal(before - 2, fixture.Allocator.LivePages);
        Assert.True(fixture.Domain.TryTranslate(Iova(0x5000_0123), out Translation found));
        Assert.Equal(Pa(0x5000_0123), found.Address);
        Assert.Equal(1UL << 30, found.PageSize);
    }

    [Fact]
    public void PingPongOfTheOnlyPage_NeitherAllocatesNorFlushesTables()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, ReadWrite);
        fixture.Domain.Unmap(Iova(0), 0x1000);
        long allocated = fixture.Allocator.AllocatedPages;
        for (int i = 0; i < 1000; i++)
        {
            fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, ReadWrite);
            fixture.Domain.Unmap(Iova(0), 0x1000);
        }

        Assert.Equal(allocated, fixture.Allocator.AllocatedPages);
        Assert.DoesNotContain(fixture.Hardware.Calls, c => c.TablesFreed);
    }
}
