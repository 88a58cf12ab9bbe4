// A large page in the place of an empty table: with an invalid entry and a flush in between where the hardware wants it so, without where it does not.
namespace IommuRcu.Tests.PageTables.Formats;

public sealed class BreakBeforeMakeTests
{
    private const ulong Block = 0x20_0000;
    private const IommuAccess Access = IommuAccess.Read | IommuAccess.Write;

    [Fact]
    public void ArmPageOverAnEmptyTable_IsStoredAfterTheTableWasFlushed()
    {
        Assert.Equal([false, true], PageStandsAtEachFlush<ArmStage1Format<ArmGranule4K>>(replacesWithoutBreak: false));
        Assert.Equal([false, true], PageStandsAtEachFlush<ArmStage2Format<ArmGranule4K>>(replacesWithoutBreak: false));
    }

    [Fact]
    public void HardwareThatReplacesWithoutABreak_SeesNoHole() =>
        Assert.Equal([true], PageStandsAtEachFlush<ArmStage1Format<ArmGranule4K>>(replacesWithoutBreak: true));

    [Fact]
    public void OtherFormats_SeeNoHole()
    {
        Assert.Equal([true], PageStandsAtEachFlush<VtdSecondStageFormat>(replacesWithoutBreak: false));
        Assert.Equal([true], PageStandsAtEachFlush<AmdV1Format>(replacesWithoutBreak: false));
        Assert.Equal([true], PageStandsAtEachFlush<RiscVFirstStageFormat>(replacesWithoutBreak: false));
    }

    [Fact]
    public void FlushThatFailsInTheBreak_LeavesNothingMapped()
    {
        using var tested = new FormatDomain<ArmStage1Format<ArmGranule4K>>(39, keepEmptyTables: true);
        MapAndUnmapOnePage(tested);
        tested.Invalidator.OnInvalidate = (_, _) => throw new IOException("The queue does not answer.");
        Assert.Throws<IOException>(() => tested.Domain.Map(new Iova(0), new PhysicalAddress(0), 2 * Block, Access));
        tested.Invalidator.OnInvalidate = null;
        Assert.Empty(tested.Walk());
        tested.Domain.Map(new Iova(0), new PhysicalAddress(0), 2 * Block, Access);
        Assert.Equal(2, tested.Walk().Count);
    }

    /// <summary>Maps a large page over an empty table, and says for each flush on the way whether the page is in the table already.</summary>
    private static List<bool> PageStandsAtEachFlush<TFormat>(bool replacesWithoutBreak)
        where TFormat : struct, IPageTableFormat
    {
        using var tested = new FormatDomain<TFormat>(39, keepEmptyTables: true, replacesWithoutBreak: replacesWithoutBreak);
        MapAndUnmapOnePage(tested);
        var seen = new List<bool>();
        tested.Invalidator.OnInvalidate = (range, tablesFreed) =>
        {
            Assert.True(tablesFreed);
            Assert.Equal((0x20_0000UL, 0x3F_FFFFUL), (range.First.Value, range.Last.Value));
            seen.Add(tested.Domain.TryTranslate(new Iova(Block), out _));
        };
        tested.Domain.Map(new Iova(Block), new PhysicalAddress(Block), Block, Access);
        tested.Invalidator.OnInvalidate = null;
        Assert.Equal(Block, Assert.Single(tested.Walk()).Size);
        return seen;
    }

    private static void MapAndUnmapOnePage<TFormat>(FormatDomain<TFormat> tested)
        where TFormat : struct, IPageTableFormat
    {
        tested.Domain.Map(new Iova(Block), new PhysicalAddress(0x1000), 0x1000, Access);
        Assert.Equal(0x1000UL, tested.Domain.Unmap(new Iova(Block), 0x1000));
    }
}
