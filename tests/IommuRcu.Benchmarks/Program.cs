// The benchmark commands: each prints ratios taken side by side in one run.
using System.CommandLine;
using IommuRcu.Benchmarks.Analyzers;
using IommuRcu.Benchmarks.Gathers;
using IommuRcu.Benchmarks.Peers;
using IommuRcu.Benchmarks.Tables;
using Spectre.Console;

if (Console.IsOutputRedirected)
{
    AnsiConsole.Profile.Width = 140; // a table in a log or a file is not folded
}

var root = new RootCommand("Measures IommuRcu side by side with its peers, in many short interleaved rounds of which the fastest counts.")
{
    PeersCommand.Create(),
    TablesCommand.Create(),
    GatherCommand.Create(),
    LatencyCommand.Create(),
    CycleCommand.Create(),
    AnalyzersCommand.Create(),
};
return root.Parse(args).Invoke();
