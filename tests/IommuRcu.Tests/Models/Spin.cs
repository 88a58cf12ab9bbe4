// Runs the model checker: spin generates a verifier from a Promela model, gcc compiles it, and it searches every reachable state.
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace IommuRcu.Tests.Models;

/// <summary>What one exhaustive search found.</summary>
internal sealed partial record SpinResult(bool Complete, int Errors, long States, string FirstError, string Output)
{
    [GeneratedRegex(@"errors: (\d+)")]
    internal static partial Regex ErrorCount { get; }

    [GeneratedRegex(@"([\d.e+]+) states, stored")]
    internal static partial Regex StateCount { get; }

    [GeneratedRegex(@"^pan:\d+: (.*?)( \(at depth \d+\))?$", RegexOptions.Multiline)]
    internal static partial Regex FirstErrorLine { get; }
}

internal static class Spin
{
    /// <summary>The most memory that one search may take, in MiB.</summary>
    private const int MemoryLimit = 4000;

    private static readonly TimeSpan _timeLimit = TimeSpan.FromMinutes(10);

    /// <summary>Searches the states of a model, with these preprocessor names defined.</summary>
    /// <param name="model">The file's name in tests/models, without extension.</param>
    /// <param name="liveness">Look for a cycle that breaks the model's ltl formula under weak fairness, in place of failed assertions.</param>
    /// <param name="defines">NAME or NAME=VALUE.</param>
    public static SpinResult Check(string model, bool liveness, params string[] defines)
    {
        string file = Path.Combine(ModelsFolder(), model + ".pml");
        string folder = Directory.CreateTempSubdirectory("iommurcu-spin-").FullName;
        try
        {
            Run(folder, "spin", ["-a", .. defines.Select(name => "-D" + name), file], mustSucceed: true);
            // One level of optimization: the time to compile counts as much as the time to search.
            string[] kind = liveness ? ["-DNFAIR=4"] : ["-DSAFETY", "-DNOCLAIM"];
            Run(folder, "gcc", ["-O1", "-w", "-DCOLLAPSE", "-DMEMLIM=" + MemoryLimit, .. kind, "-o", "pan", "pan.c"], mustSucceed: true);
            string output = Run(folder, Path.Combine(folder, "pan"), liveness ? ["-a", "-f", "-m200000"] : ["-m200000"], mustSucceed: false);
            return Parse(output);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static SpinResult Parse(string output)
    {
        Match errors = SpinResult.ErrorCount.Match(output);
        Match states = SpinResult.StateCount.Match(output);
        bool finished = errors.Success && states.Success;
        bool complete = finished && !output.Contains("Search not completed", StringComparison.Ordinal)
            && !output.Contains("max search depth too small", StringComparison.Ordinal)
            && !output.Contains("out of memory", StringComparison.OrdinalIgnoreCase);
        return new SpinResult(
            complete,
            finished ? int.Parse(errors.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : -1,
            finished ? (long)double.Parse(states.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : 0,
            SpinResult.FirstErrorLine.Match(output) is { Success: true } line ? line.Groups[1].Value : "",
            output);
    }

    private static string Run(string folder, string tool, string[] arguments, bool mustSucceed)
    {
        var start = new ProcessStartInfo(tool, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException(tool + " did not start");
        Task<string> error = process.StandardError.ReadToEndAsync();
        Task<string> text = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(_timeLimit))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{tool} {string.Join(' ', arguments)} took longer than {_timeLimit}");
        }

        string output = text.GetAwaiter().GetResult() + error.GetAwaiter().GetResult();
        if (mustSucceed && process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)} failed:\n{output}");
        }

        return output;
    }

    private static string ModelsFolder()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "IommuRcu.sln")))
            {
                return Path.Combine(folder.FullName, "tests", "models");
            }
        }

        throw new DirectoryNotFoundException("no folder above the tests holds IommuRcu.sln");
    }
}
