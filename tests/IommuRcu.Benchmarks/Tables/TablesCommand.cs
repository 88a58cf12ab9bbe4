// The command that measures every page-table operation of the speed budgets, for each format asked for.
using System.CommandLine;
using IommuRcu.Benchmarks.Measuring;
using IommuRcu.Benchmarks.Reporting;
using Spectre.Console;

namespace IommuRcu.Benchmarks.Tables;

internal static class TablesCommand
{
    /// <summary>One result. <c>ScaledNs</c>: as it would be on this kind of machine at full speed, by the additions measured in the same run.</summary>
    private sealed record Row(string Name, string Format, double Ns, double ScaledNs);

    private sealed record Budget(double Vtd, double AmdV1);

    private static readonly Dictionary<string, Budget> _budgets = new()
    {
        ["map-4k"] = new(5, 5),
        ["unmap-4k"] = new(8, 8),
        ["map-256x4k"] = new(160, 160),
        ["unmap-256x4k"] = new(80, 80),
        ["map-2m"] = new(7, 7),
        ["unmap-2m"] = new(9, 9),
        ["translate-random"] = new(5.5, 7),
        ["dirty-0"] = new(0.12, 0.12),
        ["dirty-1"] = new(0.18, 0.18),
        ["dirty-100"] = new(4, 4),
        ["churn-512"] = new(500, 500),
        ["ping-pong-4k"] = new(60, 60),
        ["unmap-harvest-4k"] = new(16, 16),
    };

    public static Command Create()
    {
        var json = new Option<FileInfo?>("--json") { Description = "Also write the rows to this file, as a JSON array." };
        var seconds = new Option<double>("--seconds") { Description = "For each format.", DefaultValueFactory = _ => 8 };
        var all = new Option<bool>("--all") { Description = "Every format whose granule is 4 KiB, not only VT-d and AMD v1." };
        var only = new Option<string>("--only") { Description = "Only operations whose name contains this.", DefaultValueFactory = _ => "" };
        var command = new Command("tables", "Map, unmap, translate, dirty scans and churn, in nanoseconds.") { json, seconds, all, only };
        command.SetAction(result => Run(result.GetValue(json), result.GetValue(seconds), result.GetValue(all), result.GetValue(only)!));
        return command;
    }

    private static int Run(FileInfo? json, double seconds, bool all, string only)
    {
        var rows = new List<Row>();
        var table = new Table().AddColumns("what", "format", "ns", "at full speed", "budget", "median", "bytes allocated");
        double calibration = double.MaxValue;
        Measure<VtdSecondStageFormat>(PageTableFormat.VtdSecondStage, budget => budget.Vtd);
        Measure<AmdV1Format>(PageTableFormat.AmdV1, budget => budget.AmdV1);
        if (all)
        {
            Measure<X86FirstStageFormat>(PageTableFormat.X86FirstStage, null);
            Measure<ArmStage1Format<ArmGranule4K>>(PageTableFormat.ArmStage1, null);
            Measure<ArmStage2Format<ArmGranule4K>>(PageTableFormat.ArmStage2, null);
            Measure<RiscVFirstStageFormat>(PageTableFormat.RiscVFirstStage, null);
        }

        rows.Add(new Row("calibration", "", calibration, Calibration.FullSpeed));
        table.AddRow("calibration", "", $"{calibration:F1}", $"{Calibration.FullSpeed}", "", "", "");
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine("The fastest of many short rounds, all operations in turn. Sections, the virtual call, and reclaim of empty tables are in every figure.");
        JsonRows.Write(json, rows);
        return 0;

        void Measure<TFormat>(PageTableFormat format, Func<Budget, double>? budgetOf)
            where TFormat : struct, IPageTableFormat
        {
            using var setup = new TableSetup(format);
            Gigabyte.Map(setup);
            (Contender Contender, string[] Names)[] work =
            [
                (Calibration.Create(), ["calibration"]),
                (MapUnmap.SmallPages(setup), ["map-4k", "unmap-4k"]),
                (MapUnmap.SmallPagesStrictly(setup), ["", "unmap-4k-strict"]),
                (MapUnmap.Runs(setup), ["map-256x4k", "unmap-256x4k"]),
                (MapUnmap.LargePages(setup), ["map-2m", "unmap-2m"]),
                (new RandomTranslations(setup), ["translate-random"]),
                (new DirtyScans<TFormat>(setup), ["dirty-0", "dirty-1", "dirty-100"]),
                (new Churn(setup), ["churn-512", "ping-pong-4k"]),
                (new HarvestingUnmap<TFormat>(setup), ["unmap-harvest-4k", "unmap-harvest-4k-dirty"]),
            ];
            work = [.. work.Where((one, i) => i == 0 || Array.Exists(one.Names, name => name.Contains(only, StringComparison.Ordinal)))];
            var allocations = work.Select(one => new AllocationMeter(one.Contender)).ToArray();
            Measurement[] measured = Interleaved.Run(allocations, seconds);
            double speed = measured[0].Minimum();
            calibration = Math.Min(calibration, speed);
            for (int i = 1; i < work.Length; i++)
            {
                for (int result = 0; result < work[i].Names.Length; result++)
                {
                    string name = work[i].Names[result];
                    if (name.Length == 0)
                    {
                        continue;
                    }

                    double ns = measured[i].Minimum(result);
                    double scaled = ns * Calibration.FullSpeed / speed;
                    rows.Add(new Row(name, format.Name, ns, scaled));
                    string budget = budgetOf is not null && _budgets.TryGetValue(name, out Budget? limit)
                        ? $"{budgetOf(limit)} {(scaled <= budgetOf(limit) ? "met" : "missed")}"
                        : "";
                    table.AddRow(name, format.Name, Text(ns), Text(scaled), budget, Text(measured[i].Median(result)), $"{allocations[i].Bytes}");
                }
            }
        }
    }

    private static string Text(double ns) => ns < 10 ? $"{ns:F2}" : $"{ns:F1}";
}
