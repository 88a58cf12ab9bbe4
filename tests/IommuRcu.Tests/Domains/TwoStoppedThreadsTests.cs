// Two threads that each stop halfway: the first stops, the second stops, the first ends, the second ends; at every pair of stops there is.
using IommuRcu.Tests.PageTables.Formats;

namespace IommuRcu.Tests.Domains;

public sealed class TwoStoppedThreadsTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;
    private const ulong Start = 0x4000_0000;
    private const ulong Large = 0x20_0000;

    [Fact]
    public void OwnerUnmapsAllOfWhatIsBeingReclaimed_EachTableGoesOnce() =>
        RunAll(d => d.ReclaimEmptyTables(), d => Assert.Equal(0x1000UL, d.Unmap(new Iova(Start), 1UL << 30)), mapped: []);

    [Fact]
    public void ReclaimerComesToWhatItsOwnerUnmaps_EachTableGoesOnce() =>
        RunAll(d => Assert.Equal(0x1000UL, d.Unmap(new Iova(Start), 1UL << 30)), d => d.ReclaimEmptyTables(), mapped: []);

    [Fact]
    public void OwnerUnmapsTheTableThatIsBeingReclaimed_ItGoesOnce() =>
        RunAll(d => d.ReclaimEmptyTables(), d => Assert.Equal(0UL, d.Unmap(new Iova(Start), Large)), mapped: [Start + Large]);

    [Fact]
    public void ReclaimerComesToATableThatItsOwnerUnmaps_ItGoesOnce() =>
        RunAll(d => Assert.Equal(0UL, d.Unmap(new Iova(Start), Large)), d => d.ReclaimEmptyTables(), mapped: [Start + Large]);

    [Fact]
    public void MapperComesToATableThatIsBeingReclaimed_ItsPageStays() =>
        RunAll(d => d.ReclaimEmptyTables(), d => Map(d, Start), mapped: [Start, Start + Large]);

    [Fact]
    public void ReclaimerComesToATableThatIsBeingMappedInto_ThePageStays() =>
        RunAll(d => Map(d, Start), d => d.ReclaimEmptyTables(), mapped: [Start, Start + Large]);

    [Fact]
    public void TwoMappersInstallTheSameTables_BothPagesStay() =>
        RunAll(d => Map(d, Start + (2 * Large)), d => Map(d, Start + (2 * Large) + 0x1000), mapped: [Start + Large, Start + (2 * Large), Start + (2 * Large) + 0x1000]);

    [Fact]
    public void LargePageOverATableThatIsBeingReclaimed_TheTableGoesOnce() =>
        RunAll(d => d.ReclaimEmptyTables(), d => d.Map(new Iova(Start), new PhysicalAddress(Start), Large, ReadWrite), mapped: [Start, Start + Large]);

    /// <summary>Stops two operations at every pair of questions, and looks afterwards at what is mapped. Disposing the domain counts its pages.</summary>
    private static void RunAll(Action<IommuDomain> first, Action<IommuDomain> second, ulong[] mapped)
    {
        bool firstStopped = true;
        for (int i = 0; firstStopped; i++)
        {
            bool secondStopped = true;
            for (int j = 0; firstStopped && secondStopped; j++)
            {
                using var tested = new FormatDomain<HookedFormat<VtdSecondStageFormat>>(39, memory: 1 << 20);

                // An empty table that is kept back, and a page in the table beside it.
                Map(tested.Domain, Start);
                tested.Domain.Unmap(new Iova(Start), 0x1000);
                Map(tested.Domain, Start + Large);
                var one = new SteppedThread(() => first(tested.Domain), i);
                var other = new SteppedThread(() => second(tested.Domain), j);
                one.RunToNextStop();
                other.RunToNextStop();
                one.RunToEnd();
                other.RunToEnd();
                firstStopped = one.Stops != 0;
                secondStopped = other.Stops != 0;
                Assert.Equal(mapped, tested.Walk().Select(leaf => leaf.Iova.Value));
                tested.Domain.Unmap(new Iova(0), 1UL << 39);
                Assert.Equal(0, tested.Allocator.DamagedPages);
            }
        }
    }

    private static void Map(IommuDomain domain, ulong iova) => domain.Map(new Iova(iova), new PhysicalAddress(iova), 0x1000, ReadWrite);
}
