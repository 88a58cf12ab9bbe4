// The command that sets our read side, grace periods and retiring beside those of others, in one interleaved run.
using System.CommandLine;
using IommuRcu.Benchmarks.Measuring;
using IommuRcu.Benchmarks.Reporting;
using Spectre.Console;

namespace IommuRcu.Benchmarks.Peers;

internal static class PeersCommand
{
    private const long Sections = 100_000;
    private const long Retired = 20_000;

    public static Command Create()
    {
        var json = new Option<FileInfo?>("--json") { Description = "Also write the rows to this file, as a JSON array." };
        var svg = new Option<FileInfo?>("--svg") { Description = "Also draw them into this file, as a bar chart." };
        var seconds = new Option<double>("--seconds") { Description = "For each comparison.", DefaultValueFactory = _ => 4 };
        var command = new Command("peers", "Read sections, grace periods and retiring, beside liburcu, FASTER's LightEpoch and locks.") { json, svg, seconds };
        command.SetAction(result => Run(result.GetValue(json), result.GetValue(svg), result.GetValue(seconds)));
        return command;
    }

    private static int Run(FileInfo? json, FileInfo? svg, double seconds)
    {
        using Liburcu? liburcu = Liburcu.TryStart(out string reason);
        if (liburcu is null)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]Without liburcu: {reason}[/]");
        }

        var rows = new List<Row>();
        var groups = new List<BarGroup>();
        var table = new Table().AddColumns("what", "threads", "ours, ns", "peer", "peer, ns", "ratio", "median of paired rounds");
        Measurement calibration = Interleaved.Run([Calibration.Create()], 0.3)[0];

        foreach (int threads in (int[])[1, 2])
        {
            var contenders = new List<Contender>
            {
                Sides("IommuRcu", threads, ReadSections.Rcu),
                Sides("FASTER-LightEpoch", threads, ReadSections.LightEpoch),
                Sides("ReaderWriterLockSlim", threads, ReadSections.ReaderWriterLock),
                Sides("lock", threads, ReadSections.Monitor),
                Sides("System.Threading.Lock", threads, ReadSections.Lock),
            };
            if (liburcu is not null)
            {
                contenders.Add(liburcu.Contender("liburcu-memb", $"read memb {threads} {Sections}"));
                contenders.Add(liburcu.Contender("liburcu-bp", $"read bp {threads} {Sections}"));
            }

            Compare("read-section", threads, $"Read section, {threads} thread{(threads > 1 ? "s" : "")}", contenders);
        }

        var calls = new List<Contender>
        {
            Sides("IommuRcu", 1, ReadSections.RcuCalls),
            Sides("FASTER-LightEpoch", 1, ReadSections.LightEpochCalls),
            Sides("ReaderWriterLockSlim", 1, ReadSections.ReaderWriterLockCalls),
            Sides("lock", 1, ReadSections.MonitorCalls),
            Sides("System.Threading.Lock", 1, ReadSections.LockCalls),
        };
        if (liburcu is not null)
        {
            calls.Add(liburcu.Contender("liburcu-memb", $"call memb 1 {Sections}"));
            calls.Add(liburcu.Contender("liburcu-bp", $"call bp 1 {Sections}"));
        }

        Compare("read-section-in-call", 1, "Read section, each in a call of its own", calls);

        foreach (int readers in (int[])[0, 1])
        {
            var contenders = new List<Contender>
            {
                new Loop("IommuRcu", readers == 0 ? 200 : 20, Synchronize),
                new Loop("process-wide-barrier", readers == 0 ? 200 : 20, Barriers),
            };
            if (liburcu is not null)
            {
                // Under readers a wait of liburcu goes to sleep for a while: few a round.
                contenders.Add(liburcu.Contender("liburcu-memb", $"grace memb {readers} {(readers == 0 ? 200 : 2)}"));
                contenders.Add(liburcu.Contender("liburcu-bp", $"grace bp {readers} {(readers == 0 ? 200 : 2)}"));
            }

            using var background = new Readers(readers, ReadSections.Rcu);
            Compare(readers == 0 ? "grace-period-idle" : "grace-period-readers", readers, readers == 0 ? "Grace period, nobody reading" : "Grace period under a reader", contenders);
        }

        foreach (int readers in (int[])[0, 1])
        {
            var contenders = new List<Contender>
            {
                new Loop("IommuRcu", Retired, Retires.Rcu),
                new Loop("FASTER-LightEpoch", Retired, Retires.LightEpoch),
            };
            if (liburcu is not null)
            {
                contenders.Add(liburcu.Contender("liburcu-call_rcu", $"retire memb {readers} {Retired}"));
            }

            using var background = new Readers(readers, ReadSections.Rcu);
            Compare(readers == 0 ? "retire" : "retire-readers", readers, readers == 0 ? "Retire one object, callback included" : "The same under a reader", contenders);
        }

        AnsiConsole.Write(table);
        double speed = calibration.Minimum();
        AnsiConsole.MarkupLineInterpolated($"1,000 dependent additions: {speed:F0} ns ({Calibration.FullSpeed} at full speed). Fastest of many short rounds, all contenders in turn.");
        JsonRows.Write(json, rows);
        if (svg is not null)
        {
            File.WriteAllText(svg.FullName, SvgBarChart.Draw("IommuRcu and its peers", "ns", groups));
        }

        return 0;

        void Compare(string name, int threads, string title, List<Contender> contenders)
        {
            Measurement[] measured = Interleaved.Run(contenders, seconds);
            Measurement ours = measured[0];
            foreach (Measurement peer in measured.Skip(1))
            {
                var row = new Row(name, threads, ours.Minimum(), peer.Contender.Name, peer.Minimum(), ours.Minimum() / peer.Minimum());
                rows.Add(row);
                table.AddRow(
                    row.Name, $"{row.Threads}", $"{row.Ns:F2}", row.Peer, $"{row.PeerNs:F2}", $"{row.Ratio:F3}", $"{ours.MedianRatio(peer):F3}");
            }

            groups.Add(new BarGroup(title, [.. measured.Select((one, i) => new Bar(one.Contender.Name, one.Minimum(), i == 0))]));
        }
    }

    private static Contender Sides(string name, int threads, Action<long> body) =>
        threads == 1 ? new Loop(name, Sections, body) : new ThreadedLoop(name, threads, Sections, body);

    private static void Synchronize(long count)
    {
        for (long i = 0; i < count; i++)
        {
            Rcu.Synchronize();
        }
    }

    private static void Barriers(long count)
    {
        for (long i = 0; i < count; i++)
        {
            Interlocked.MemoryBarrierProcessWide();
        }
    }
}
