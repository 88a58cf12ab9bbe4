// The migration on the terminal: bars, a heat map of dirty memory, and a closing table.
using DirtyTracking.Migration;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace DirtyTracking.View;

/// <summary>Draws what <see cref="LiveMigration.Progress"/> says until the run is over.</summary>
internal static class MigrationView
{
    private const int Columns = 64;

    internal static MigrationReport Run(LiveMigration migration, MigrationOptions options)
    {
        MigrationReport? report = null;
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                report = migration.Run();
            }
            catch (Exception e)
            {
                failure = e;
            }
        })
        { Name = "migration" };
        AnsiConsole.Write(new Rule(options.UnsafeFree
            ? "[red]Live migration - table pages are freed at once[/]"
            : "[green]Live migration - table pages are freed after a grace period[/]").LeftJustified());
        AnsiConsole.MarkupLine(
            $"[grey]{options.Size >> 20} MiB, {options.Devices} devices, at most {options.Seconds} s, seed {options.Seed}[/]");
        thread.Start();
        if (AnsiConsole.Profile.Capabilities.Interactive && AnsiConsole.Profile.Capabilities.Ansi)
        {
            AnsiConsole.Live(Draw(migration.Progress)).Start(context =>
            {
                while (!thread.Join(100))
                {
                    context.UpdateTarget(Draw(migration.Progress));
                }

                context.UpdateTarget(Draw(migration.Progress));
            });
        }
        else
        {
            while (!thread.Join(2000))
            {
                MigrationProgress now = migration.Progress;
                AnsiConsole.WriteLine($"{now.Phase}: round {now.Round}, {now.PagesOfRound} pages, {now.TablePages} table pages, {now.Failures} failures");
            }
        }

        return report ?? throw new InvalidOperationException("The migration failed: " + failure?.Message, failure);
    }

    internal static void WriteSummary(MigrationReport report)
    {
        Table table = new Table().Border(TableBorder.Rounded).AddColumn("What").AddColumn(new TableColumn("Count").RightAligned());
        table.AddRow("rounds", $"{report.Rounds:n0}{(report.Converged ? " (converged)" : string.Empty)}");
        table.AddRow("pages a round", Rounds(report.PagesPerRound));
        table.AddRow("downtime", $"{report.DowntimeMilliseconds:n1} ms");
        table.AddRow("buffers mapped and unmapped", $"{report.Buffers:n0}");
        table.AddRow("DMA transfers", $"{report.DmaTransfers:n0}");
        table.AddRow("IOTLB invalidations", $"{report.Invalidations:n0}");
        table.AddRow("table pages retired", $"{report.TablePagesRetired:n0}");
        if (report.UnsafeFree)
        {
            table.AddRow("[red]table pages freed at once[/]", $"{report.TablePagesFreedAtOnce:n0}");
        }

        table.AddRow("grace periods", $"{report.GracePeriods:n0}");
        table.AddRow("callbacks", $"{report.Callbacks:n0}");
        table.AddRow("translations checked", $"{report.CheckedTranslations:n0}");
        table.AddEmptyRow();
        AddCheck(table, "memory identical", report.MemoryIdentical ? "yes" : "no", report.MemoryIdentical);
        AddCheck(table, "lost writes", $"{report.LostWrites:n0}", report.LostWrites == 0);
        AddCheck(table, "wrong translations", $"{report.WrongTranslations:n0}", report.WrongTranslations == 0);
        AddCheck(table, "reads of freed table memory", $"{report.LateReads:n0}", report.LateReads == 0);
        AddCheck(table, "refused device accesses", $"{report.DeviceFaults:n0}", report.DeviceFaults == 0);
        AddCheck(table, "leaked pages", $"{report.LeakedPages:n0}", report.LeakedPages == 0);
        AnsiConsole.Write(table);
        foreach (string error in report.Errors)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{error}[/]");
        }

        AnsiConsole.MarkupLine(report.Succeeded
            ? "[green]The migration is right: nothing was lost, and no walker met a freed table.[/]"
            : "[red]Caught: the migration is not to be trusted.[/]");
        if (!report.Succeeded && report.UnsafeFree)
        {
            AnsiConsole.MarkupLine("[grey]Run it without --unsafe-free: the same checks, with table pages freed after a grace period.[/]");
        }
    }

    private static void AddCheck(Table table, string what, string count, bool right)
        => table.AddRow($"{(right ? "[green]+[/]" : "[red]x[/]")} {what}", right ? $"[green]{count}[/]" : $"[red]{count}[/]");

    private static string Rounds(IReadOnlyList<long> rounds)
    {
        IEnumerable<string> shown = rounds.Count <= 8
            ? rounds.Select(r => $"{r:n0}")
            : [.. rounds.Take(3).Select(r => $"{r:n0}"), "...", .. rounds.TakeLast(4).Select(r => $"{r:n0}")];
        return string.Join("  ", shown);
    }

    private static Rows Draw(MigrationProgress now) => new(
        new Markup($"[bold]{now.Phase}[/]  round {now.Round}  table pages {now.TablePages:n0}  "
            + (now.Failures == 0 ? "[green]no failures[/]" : $"[red]{now.Failures:n0} failures[/]")),
        Bar("time", now.Elapsed, Color.Blue, $"{now.Elapsed * 100:f0} %"),
        Bar("dirty a round", now.Pages == 0 ? 0 : (double)now.PagesOfRound / now.Pages, Color.Orange1, $"{now.PagesOfRound:n0} pages"),
        Bar("working set", now.WorkingSet, Color.Purple, $"{now.WorkingSet * 100:f0} %"),
        new Panel(HeatMap(now.Heat)).Header("dirty memory, last rounds").BorderColor(Color.Grey));

    private static Markup Bar(string what, double part, Color color, string value)
    {
        int filled = (int)Math.Round(Math.Clamp(part, 0, 1) * 40);
        return new Markup($"{what,-18} [{color.ToMarkup()}]{new string('#', filled)}[/][grey]{new string('-', 40 - filled)}[/] {value}");
    }

    private static Rows HeatMap(IReadOnlyList<float> heat)
    {
        var lines = new List<IRenderable>();
        for (int at = 0; at < heat.Count; at += Columns)
        {
            var line = new Paragraph();
            for (int i = at; i < Math.Min(at + Columns, heat.Count); i++)
            {
                line.Append(" ", new Style(background: ColorOf(heat[i])));
            }

            lines.Add(line);
        }

        if (lines.Count == 0)
        {
            lines.Add(new Text("nothing yet"));
        }

        return new Rows(lines);
    }

    // From dark blue (clean) over red to yellow (every page dirty).
    private static Color ColorOf(float heat)
    {
        float value = Math.Clamp(heat, 0, 1);
        return value == 0
            ? new Color(16, 16, 48)
            : new Color((byte)(64 + (191 * Math.Min(1, value * 2))), (byte)(255 * Math.Max(0, (value * 2) - 1)), (byte)(96 * (1 - value)));
    }
}
