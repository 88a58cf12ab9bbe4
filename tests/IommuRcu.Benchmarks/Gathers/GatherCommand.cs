// The comparison nobody had published: one callback a page against one callback a list, for 1 to 4096 table pages a gather.
using System.CommandLine;
using System.Diagnostics;
using IommuRcu.Benchmarks.Measuring;
using IommuRcu.Benchmarks.Peers;
using IommuRcu.Benchmarks.Reporting;
using IommuRcu.Benchmarks.Tables;
using Spectre.Console;

namespace IommuRcu.Benchmarks.Gathers;

internal static class GatherCommand
{
    /// <param name="PagesPerGather">Table pages on each gather.</param>
    /// <param name="Readers">Threads that translate all the while.</param>
    /// <param name="Strategy">How the pages are retired.</param>
    /// <param name="UnmapNs">The call that unmaps and syncs one gather: the fastest round's mean.</param>
    /// <param name="NsPerPage">From the first unmap until the last page is free again, a page: the fastest round.</param>
    /// <param name="RetireNsPerPage">Retiring alone, without the unmapping: from the first list until the last page is free again, a page.</param>
    /// <param name="PagesInFlight">The most pages seen retired and not yet free, after a sync: the median round.</param>
    private sealed record Row(int PagesPerGather, int Readers, string Strategy, double UnmapNs, double NsPerPage, double RetireNsPerPage, double PagesInFlight);

    private static readonly int[] _sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

    public static Command Create()
    {
        var json = new Option<FileInfo?>("--json") { Description = "Also write the rows to this file, as a JSON array." };
        var seconds = new Option<double>("--seconds") { Description = "For each size of gather, alone and with a reader.", DefaultValueFactory = _ => 1 };
        var command = new Command("gather", "One callback a page against one a list: latency of unmap, throughput, memory in flight.") { json, seconds };
        command.SetAction(result => Run(result.GetValue(json), result.GetValue(seconds)));
        return command;
    }

    private static int Run(FileInfo? json, double seconds)
    {
        var rows = new List<Row>();
        using var perPage = new TableSetup(PageTableFormat.VtdSecondStage, strategy: RetireStrategy.CallbackPerPage);
        using var perList = new TableSetup(PageTableFormat.VtdSecondStage, strategy: RetireStrategy.CallbackPerList);
        foreach (int readers in (int[])[0, 1])
        {
            Table table = new Table().Title(readers == 0 ? "alone" : "with a thread that translates")
                .AddColumns("pages", "unmap, ns: a page each", "a list", "ratio", "to free, ns a page: a page each", "a list", "ratio", "retire alone, ns a page: a page each", "a list", "ratio", "in flight: a page each", "a list");
            foreach (int size in _sizes)
            {
                using var background = new Readers(readers, count => Translate(perPage.Domain, perList.Domain, count));
                Measurement[] measured = Interleaved.Run([new Gathering("page", perPage, size), new Gathering("list", perList, size)], seconds);
                Measurement[] retiring = Interleaved.Run(
                    [
                        new Retiring("page", perPage.Allocator, RetireStrategy.CallbackPerPage, size),
                        new Retiring("list", perPage.Allocator, RetireStrategy.CallbackPerList, size),
                    ],
                    seconds / 2);
                Row[] pair = [.. measured.Select((one, i) => new Row(
                    size, readers, i == 0 ? "CallbackPerPage" : "CallbackPerList", one.Minimum(0), one.Minimum(1), retiring[i].Minimum(), one.Median(2)))];
                rows.AddRange(pair);
                table.AddRow(
                    $"{size}", $"{pair[0].UnmapNs:F0}", $"{pair[1].UnmapNs:F0}", $"{pair[1].UnmapNs / pair[0].UnmapNs:F2}",
                    $"{pair[0].NsPerPage:F1}", $"{pair[1].NsPerPage:F1}", $"{pair[1].NsPerPage / pair[0].NsPerPage:F2}",
                    $"{pair[0].RetireNsPerPage:F1}", $"{pair[1].RetireNsPerPage:F1}", $"{pair[1].RetireNsPerPage / pair[0].RetireNsPerPage:F2}",
                    $"{pair[0].PagesInFlight:F0}", $"{pair[1].PagesInFlight:F0}");
            }

            AnsiConsole.Write(table);
        }

        JsonRows.Write(json, rows);
        return 0;
    }

    private static void Translate(IommuDomain first, IommuDomain second, long count)
    {
        for (long i = 0; i < count; i++)
        {
            first.TryTranslate(new Iova((ulong)i << 21), out _);
            second.TryTranslate(new Iova((ulong)i << 21), out _);
        }
    }

    /// <summary>Unmaps gathers of a number of leaf tables each, one after the other: 4096 tables in a round.</summary>
    private sealed class Gathering(string name, TableSetup setup, int pagesPerGather) : Contender(name)
    {
        private const int PagesPerRound = 4096;
        private static readonly Iova _start = new(TableSetup.Gigabyte + TableSetup.LargePage);

        public override int Results => 3;

        public override void Round(Span<double> ns)
        {
            IommuDomain domain = setup.Domain;
            for (ulong i = 0; i < PagesPerRound; i++)
            {
                setup.MapSmallPages(_start + (i * TableSetup.LargePage), TableSetup.Page);
            }

            int gathers = PagesPerRound / pagesPerGather;
            ulong size = (ulong)pagesPerGather * TableSetup.LargePage;
            long inFlight = 0;
            long sampling = 0;
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < gathers; i++)
            {
                var gather = new IotlbGather(domain);
                domain.Unmap(_start + ((ulong)i * size), size, ref gather);
                gather.Sync();
                if ((i & 15) == 0)
                {
                    long before = Stopwatch.GetTimestamp();
                    inFlight = Math.Max(inFlight, setup.Allocator.RetiredPages);
                    sampling += Stopwatch.GetTimestamp() - before;
                }
            }

            long unmapped = Stopwatch.GetTimestamp();
            Rcu.Barrier();
            double tick = 1e9 / Stopwatch.Frequency;
            ns[0] = (unmapped - start - sampling) * tick / gathers;
            ns[1] = (Stopwatch.GetTimestamp() - start - sampling) * tick / PagesPerRound;
            ns[2] = inFlight;
        }
    }
}
