// Two mappers in a table that is reclaimed under them: one installs a table in it, and the other comes through that before the first has found out.
using IommuRcu.Tests.PageTables.Formats;

namespace IommuRcu.Tests.Domains;

public sealed class UnconfirmedInstallTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;
    private const ulong First = 0x4000_0000;
    private const ulong Second = 0x4000_1000;

    [Fact]
    public void SecondMapperThroughAnUnconfirmedTable_IsNotLost()
    {
        // Where a mapper stands in the upper table, about to look into it for the last time: known from a run that nobody disturbs.
        int within;
        int end;
        using (FormatDomain<HookedFormat<VtdSecondStageFormat>> tested = OpenWithAnEmptyUpperTable(out ulong upper))
        {
            var asked = new List<(Asked What, ulong Entry)>();
            using (FormatHook.Set((what, entry, _) => asked.Add((what, entry))))
            {
                Map(tested.Domain, First);
            }

            within = asked.FindLastIndex(a => a.What == Asked.TableAddress && (a.Entry & ~0xFFFUL) == upper);
            end = asked.Count;
            Assert.True(within > 0 && end > within + 3);
        }

        // The first mapper stops anywhere from there on: before it installed its table, after it, when it found out.
        for (int stop = within + 1; stop < end; stop++)
        {
            using FormatDomain<HookedFormat<VtdSecondStageFormat>> tested = OpenWithAnEmptyUpperTable(out _);
            var first = new SteppedThread(() => Map(tested.Domain, First), within, stop);
            var second = new SteppedThread(() => Map(tested.Domain, Second), within);
            first.RunToNextStop();
            second.RunToNextStop();
            Assert.True(tested.Domain.ReclaimEmptyTables() > 0);
            first.RunToNextStop();
            second.RunToEnd();
            Assert.True(tested.Domain.TryTranslate(new Iova(Second), out _), $"stopped at question {stop}: the second mapper's page is lost.");
            first.RunToEnd();
            Assert.True(tested.Domain.TryTranslate(new Iova(First), out _), $"stopped at question {stop}: the first mapper's page is lost.");
            Assert.True(tested.Domain.TryTranslate(new Iova(Second), out _), $"stopped at question {stop}: the second mapper's page is lost.");
            Assert.Equal(0x2000UL, tested.Domain.Unmap(new Iova(First), 0x2000));
        }
    }

    // The table of level 1 is there, holds nothing, and is kept back.
    private static FormatDomain<HookedFormat<VtdSecondStageFormat>> OpenWithAnEmptyUpperTable(out ulong upper)
    {
        var tested = new FormatDomain<HookedFormat<VtdSecondStageFormat>>(39, memory: 1 << 20);
        tested.Domain.Map(new Iova(First), new PhysicalAddress(First), 0x20_0000, ReadWrite);
        tested.Domain.Unmap(new Iova(First), 0x20_0000);
        upper = PageTableDump.Tables(tested.Domain).Single(t => t.Level == 1).Address.Value;
        return tested;
    }

    private static void Map(IommuDomain domain, ulong iova) => domain.Map(new Iova(iova), new PhysicalAddress(iova), 0x1000, ReadWrite);
}
