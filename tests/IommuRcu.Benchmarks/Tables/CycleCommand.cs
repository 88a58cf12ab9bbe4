// The command that cycles small mappings through terabytes of IOVA and reports how much memory its tables took at the most.
using System.CommandLine;
using System.Diagnostics;
using IommuRcu.Benchmarks.Reporting;
using Spectre.Console;

namespace IommuRcu.Benchmarks.Tables;

internal static class CycleCommand
{
    private sealed record Row(string Format, ulong Bytes, ulong Stride, int Window, long Mappings, double Seconds, long PeakTableBytes, long TableBytesAtEnd);

    public static Command Create()
    {
        var json = new Option<FileInfo?>("--json") { Description = "Also write the result to this file, as a JSON array of one row." };
        var terabytes = new Option<int>("--terabytes") { Description = "How much IOVA is cycled through.", DefaultValueFactory = _ => 16 };
        var stride = new Option<ulong>("--stride") { Description = "From one 4 KiB mapping to the next, in bytes; 4096 touches every page.", DefaultValueFactory = _ => 1UL << 16 };
        var window = new Option<int>("--window") { Description = "How many mappings there are at a time.", DefaultValueFactory = _ => 256 };
        var memory = new Option<int>("--memory") { Description = "MiB for tables: retired ones wait in it for their grace period.", DefaultValueFactory = _ => 256 };
        var command = new Command("cycle", "Peak table memory while 4 KiB mappings cycle through a large range of IOVA.") { json, terabytes, stride, window, memory };
        command.SetAction(result => Run(result.GetValue(json), result.GetValue(terabytes), result.GetValue(stride), result.GetValue(window), result.GetValue(memory)));
        return command;
    }

    private static int Run(FileInfo? json, int terabytes, ulong stride, int window, int memory)
    {
        // No more memory than this: a domain that kept its empty tables would need 32 GiB and run out.
        using var setup = new TableSetup(PageTableFormat.VtdSecondStage, memory: (ulong)memory << 20);
        ulong size = (ulong)terabytes << 40;
        ulong behind = (ulong)window * stride;
        long mappings = 0;
        long start = Stopwatch.GetTimestamp();
        for (ulong at = 0; at < size + behind; at += stride)
        {
            if (at < size)
            {
                setup.MapSmallPages(new Iova(at), TableSetup.Page);
                mappings++;
            }

            if (at >= behind)
            {
                setup.Domain.Unmap(new Iova(at - behind), TableSetup.Page);
            }
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Rcu.Barrier();
        var row = new Row(
            setup.Domain.FormatName, size, stride, window, mappings, seconds, setup.Allocator.PeakLiveBytes, setup.Allocator.LiveBytes);
        AnsiConsole.MarkupLineInterpolated(
            $"{mappings} mappings of 4 KiB, {window} at a time, through {terabytes} TiB in {seconds:F1} s ({seconds / mappings * 1e9:F1} ns each, map and unmap).");
        AnsiConsole.MarkupLineInterpolated(
            $"Table memory: {row.PeakTableBytes / 1024} KiB at the most, {row.TableBytesAtEnd / 1024} KiB at the end. Kept tables would be {(size >> 21 << 12) >> 30} GiB.");
        JsonRows.Write(json, [row]);
        return 0;
    }
}
