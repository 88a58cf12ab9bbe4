// The command that measures what a scanner of a large domain costs the threads that map and unmap meanwhile: the tail of their latency.
using System.CommandLine;
using System.Diagnostics;
using IommuRcu.Benchmarks.Reporting;
using Spectre.Console;

namespace IommuRcu.Benchmarks.Tables;

internal static class LatencyCommand
{
    private const int Buckets = 100_000;
    private const double Nanosecond = 1;

    private sealed record Row(int Round, double AloneP50, double AloneP999, double ScannedP50, double ScannedP999, double Ratio);

    public static Command Create()
    {
        var json = new Option<FileInfo?>("--json") { Description = "Also write the rounds to this file, as a JSON array." };
        var size = new Option<int>("--gigabytes") { Description = "What is mapped with 4 KiB pages.", DefaultValueFactory = _ => 64 };
        var rounds = new Option<int>("--rounds") { Description = "Each with the scanner off, then on.", DefaultValueFactory = _ => 20 };
        var operations = new Option<int>("--operations") { Description = "Maps and unmaps in each half of a round.", DefaultValueFactory = _ => 1_000_000 };
        var command = new Command("latency", "Latency of map and unmap while a scanner reads the dirty state of a large domain.") { json, size, rounds, operations };
        command.SetAction(result => Run(result.GetValue(json), result.GetValue(size), result.GetValue(rounds), result.GetValue(operations)));
        return command;
    }

    private static int Run(FileInfo? json, int gigabytes, int rounds, int operations)
    {
        using var setup = new TableSetup(PageTableFormat.VtdSecondStage, memory: (64UL << 20) + ((ulong)gigabytes << 22));
        ulong mapped = (ulong)gigabytes * TableSetup.Gigabyte;
        setup.MapSmallPages(new Iova(0), mapped);
        var scratch = new Iova(mapped + TableSetup.Gigabyte);
        setup.MapSmallPages(scratch + (511 * TableSetup.Page), TableSetup.Page);

        using var scanner = new Scanner(setup.Domain, mapped);
        int[] histogram = new int[Buckets + 1];
        Mutate(setup.Domain, scratch, 200_000, histogram);
        var rows = new List<Row>();
        for (int round = 0; round < rounds; round++)
        {
            Array.Clear(histogram);
            Mutate(setup.Domain, scratch, operations, histogram);
            double aloneP50 = Quantile(histogram, operations, 0.5);
            double aloneP999 = Quantile(histogram, operations, 0.999);

            scanner.Run(true);
            Array.Clear(histogram);
            Mutate(setup.Domain, scratch, operations, histogram);
            scanner.Run(false);
            double scannedP999 = Quantile(histogram, operations, 0.999);
            rows.Add(new Row(round, aloneP50, aloneP999, Quantile(histogram, operations, 0.5), scannedP999, scannedP999 / aloneP999));
        }

        double ratio = Median([.. rows.Select(row => row.Ratio)]);
        Table table = new Table().AddColumns("", "p50, ns", "p99.9, ns");
        table.AddRow("alone", $"{Median([.. rows.Select(row => row.AloneP50)]):F0}", $"{Median([.. rows.Select(row => row.AloneP999)]):F0}");
        table.AddRow("scanned", $"{Median([.. rows.Select(row => row.ScannedP50)]):F0}", $"{Median([.. rows.Select(row => row.ScannedP999)]):F0}");
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLineInterpolated(
            $"Medians of {rounds} rounds; median of the rounds' p99.9 ratios: {ratio:F2} (budget 2, {(ratio <= 2 ? "met" : "missed")}). {scanner.Scans} scans of {gigabytes} GiB meanwhile. A time stamp is in every figure.");
        JsonRows.Write(json, rows);
        return 0;
    }

    /// <summary>Maps and unmaps pages of one table in turn, and counts each operation's time in a histogram of nanoseconds.</summary>
    private static void Mutate(IommuDomain domain, Iova start, int operations, int[] histogram)
    {
        double scale = 1e9 / Stopwatch.Frequency / Nanosecond;
        for (int i = 0; i < operations; i += 2)
        {
            Iova iova = start + ((ulong)(i / 2 % 511) * TableSetup.Page);
            long first = Stopwatch.GetTimestamp();
            domain.Map(iova, TableSetup.OddAddress, TableSetup.Page, IommuAccess.Read | IommuAccess.Write);
            long second = Stopwatch.GetTimestamp();
            domain.Unmap(iova, TableSetup.Page);
            long third = Stopwatch.GetTimestamp();
            histogram[Math.Min(Buckets, (int)((second - first) * scale))]++;
            histogram[Math.Min(Buckets, (int)((third - second) * scale))]++;
        }
    }

    private static double Quantile(int[] histogram, long total, double quantile)
    {
        long below = 0;
        for (int i = 0; i < histogram.Length; i++)
        {
            below += histogram[i];
            if (below >= total * quantile)
            {
                return i * Nanosecond;
            }
        }

        return Buckets * Nanosecond;
    }

    private static double Median(double[] values)
    {
        Array.Sort(values);
        return values[values.Length / 2];
    }

    /// <summary>A thread that reads and clears the dirty state of the whole domain, again and again while it is told to.</summary>
    private sealed class Scanner : IDisposable
    {
        private readonly Thread _thread;
        private readonly ManualResetEventSlim _mayRun = new();
        private readonly ManualResetEventSlim _isIdle = new(true);
        private volatile bool _stop;
        private long _scans;

        public Scanner(IommuDomain domain, ulong size)
        {
            _thread = new Thread(() =>
            {
                // A bounded part at a time, so that it stops soon when told to.
                var bitmap = new DirtyBitmap(new Iova(0), size);
                ulong at = 0;
                while (true)
                {
                    if (!_mayRun.IsSet)
                    {
                        _isIdle.Set();
                        _mayRun.Wait();
                    }

                    if (_stop)
                    {
                        return;
                    }

                    ulong part = Math.Min(TableSetup.Gigabyte, size - at);
                    domain.ReadDirty(new Iova(at), part, bitmap, DirtyReadMode.ReadAndClear);
                    at += part;
                    if (at == size)
                    {
                        at = 0;
                        Interlocked.Increment(ref _scans);
                    }
                }
            });
            _thread.Start();
        }

        public long Scans => Interlocked.Read(ref _scans);

        public void Run(bool on)
        {
            if (on)
            {
                _isIdle.Reset();
                _mayRun.Set();
            }
            else
            {
                _mayRun.Reset();
                _isIdle.Wait();
            }
        }

        public void Dispose()
        {
            _stop = true;
            _mayRun.Set();
            _thread.Join();
            _mayRun.Dispose();
            _isIdle.Dispose();
        }
    }
}
