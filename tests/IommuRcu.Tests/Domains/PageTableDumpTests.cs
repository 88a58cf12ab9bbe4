// The dump: exact text, tables with raw entries, and sections that stay short however large and empty the domain is.
using System.Globalization;
using IommuRcu.Tests.PageTables.Formats;
using static IommuRcu.Tests.Domains.DomainFixture;

namespace IommuRcu.Tests.Domains;

public sealed class PageTableDumpTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    [Fact]
    public void Text_IsOneLineForEachRun()
    {
        using var fixture = new DomainFixture(configure: o => o with { AddressBits = 39 });
        fixture.Domain.Map(Iova(0x20_0000 - 0x2000), Pa(0x40_0000 - 0x2000), 0x20_3000, ReadWrite);
        fixture.Domain.Map(Iova(0x40_1000), Pa(0x40_1000 + 0x1000), 0x1000, IommuAccess.Read | IommuAccess.Cacheable);
        string root = fixture.Domain.Root.Address.ToString();
        Assert.Equal(
            $"""
            VT-d second stage: 39 bits of IOVA, granule 0x1000, root at {root}, 3 levels
            0x00000000001fe000-0x00000000001fffff -> 0x0000003fe000-0x0000003fffff rw--- 2 x 4K, dirty 0, accessed 0
            0x0000000000200000-0x00000000003fffff -> 0x000000400000-0x0000005fffff rw--- 1 x 2M, dirty 0, accessed 0
            0x0000000000400000-0x0000000000400fff -> 0x000000600000-0x000000600fff rw--- 1 x 4K, dirty 0, accessed 0
            0x0000000000401000-0x0000000000401fff -> 0x000000402000-0x000000402fff r--c- 1 x 4K, dirty 0, accessed 0
            0x204000 bytes in 5 pages

            """,
            Dump(fixture.Domain, includeTables: false));
    }

    [Fact]
    public void Tables_FollowWithTheirRawEntries()
    {
        using var fixture = new DomainFixture(configure: o => o with { AddressBits = 39 });
        fixture.Domain.Map(Iova(0x4000_5000), Pa(0x7000), 0x1000, IommuAccess.Read);
        fixture.Domain.Map(Iova(0x4020_0000), Pa(0x60_0000), 0x20_0000, ReadWrite | IommuAccess.Cacheable);
        PhysicalAddress root = fixture.Domain.Root.Address;
        ulong middle = fixture.Entry(root, 1) & ~0xFFFUL;
        ulong lowest = fixture.Entry(Pa(middle), 0) & ~0xFFFUL;
        string text = Dump(fixture.Domain, includeTables: true);
        Assert.EndsWith(
            $"""
            table at {root}, level 2, from IOVA 0x0, 1 of 512 entries
              [   1] 0x{middle | 3:x16} 0x40000000 table at 0x{middle:x}
            table at 0x{middle:x}, level 1, from IOVA 0x40000000, 2 of 512 entries
              [   0] 0x{lowest | 3:x16} 0x40000000 table at 0x{lowest:x}
              [   1] 0x0000000000600883 0x40200000 page at 0x600000
            table at 0x{lowest:x}, level 0, from IOVA 0x40000000, 1 of 512 entries
              [   5] 0x0000000000007001 0x40005000 page at 0x7000

            """,
            text,
            StringComparison.Ordinal);
    }

    [Fact]
    public void SignExtendedDomain_IsDumpedInBothHalves()
    {
        using var fixture = new DomainFixture(PageTableFormat.X86FirstStage);
        fixture.Domain.Map(Iova(0x1000), Pa(0x1000), 0x1000, IommuAccess.Read);
        fixture.Domain.Map(Iova(0xFFFF_FFFF_FFFF_F000), Pa(0x2000), 0x1000, IommuAccess.Read);
        Assert.Equal([0x1000UL, 0xFFFF_FFFF_FFFF_F000UL], PageTableDump.Runs(fixture.Domain).Select(r => r.First.Value));
        Assert.Equal(7, PageTableDump.Tables(fixture.Domain).Count());
    }

    [Fact]
    public void Address64BitsWide_IsDumpedToTheLastByte()
    {
        using var fixture = new DomainFixture(PageTableFormat.AmdV1, o => o with { AddressBits = 64 });
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, IommuAccess.Read);
        fixture.Domain.Map(Iova(0xFFFF_FFFF_FFFF_F000), Pa(0x2000), 0x1000, IommuAccess.Read);
        Assert.Equal([0xFFFUL, 0xFFFF_FFFF_FFFF_FFFFUL], PageTableDump.Runs(fixture.Domain).Select(r => r.Last.Value));
    }

    [Fact]
    public void SectionsOfADump_AreBoundedOverEmptyTablesAndOverPages()
    {
        // 600 empty tables that are kept, then as many pages as several sections hold.
        using var tested = new FormatDomain<HookedFormat<VtdSecondStageFormat>>(39, keepEmptyTables: true);
        const ulong Pages = 5000;
        for (ulong i = 0; i < 600; i++)
        {
            tested.Domain.Map(Iova(i << 21), Pa(0x1000), 0x1000, ReadWrite);
            tested.Domain.Unmap(Iova(i << 21), 0x1000);
        }

        tested.Domain.Map(Iova(600UL << 21), Pa(0x1000), Pages << 12, ReadWrite);
        int sections = 0;
        var runs = new List<PageTableRun>();
        Iova? next = Iova(0);
        while (next is { } from)
        {
            using FormatHook hook = FormatHook.Set((_, _, _) => { });
            next = PageTableDump.Collect(tested.Domain, from, Iova((1UL << 39) - 1), runs);
            sections++;

            // A descent asks for each of 3 levels, and a table of pages for each of its entries, several things each.
            Assert.InRange(hook.Count, 1, 64 * 512 * 2);
        }

        Assert.InRange(sections, 14, 1000);
        PageTableRun run = Assert.Single(runs);
        Assert.Equal((600UL << 21, (long)Pages), (run.First.Value, run.Pages));
        Assert.Equal(runs, PageTableDump.Runs(tested.Domain));
    }

    private static string Dump(IommuDomain domain, bool includeTables)
    {
        var text = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        PageTableDump.Write(text, domain, includeTables);
        return text.ToString();
    }
}
