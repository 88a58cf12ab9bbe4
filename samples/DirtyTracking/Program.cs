// Dirty tracking during a live migration: the command line.
using System.CommandLine;
using System.Text.Json;
using DirtyTracking.Migration;
using DirtyTracking.View;

var json = new Option<bool>("--json") { Description = "Print one JSON object instead of the display." };
var seed = new Option<int>("--seed") { Description = "Where all random choices come from.", DefaultValueFactory = _ => 1 };
var size = new Option<uint>("--size") { Description = "The guest's memory in MiB: even, at least 8 for each device.", DefaultValueFactory = _ => 256 };
var devices = new Option<int>("--devices") { Description = "How many devices do DMA at once.", DefaultValueFactory = _ => 2 };
var seconds = new Option<double>("--seconds") { Description = "For how long devices run at most.", DefaultValueFactory = _ => 12 };
var unsafeFree = new Option<bool>("--unsafe-free")
{
    Description = "Free table pages at once instead of after a grace period, and see the corruption being caught.",
};
var command = new RootCommand("Migrates a guest while its devices run, and checks every byte and every translation. Exit code 1: something was wrong; 2: the command line was.")
{
    json, seed, size, devices, seconds, unsafeFree,
};
command.SetAction(parsed =>
{
    var options = new MigrationOptions
    {
        Seed = parsed.GetValue(seed),
        Size = (ulong)parsed.GetValue(size) << 20,
        Devices = parsed.GetValue(devices),
        Seconds = parsed.GetValue(seconds),
        UnsafeFree = parsed.GetValue(unsafeFree),
    };
    LiveMigration migration;
    try
    {
        migration = new LiveMigration(options);
    }
    catch (ArgumentException e)
    {
        return Usage(e.Message);
    }

    MigrationReport report;
    if (parsed.GetValue(json))
    {
        report = migration.Run();
        Console.WriteLine(JsonSerializer.Serialize(report, MigrationReportJson.Default.MigrationReport));
    }
    else
    {
        report = MigrationView.Run(migration, options);
        MigrationView.WriteSummary(report);
    }

    return report.Succeeded ? 0 : 1;
});
ParseResult line = command.Parse(args);
return line.Errors.Count == 0 ? line.Invoke() : Usage(string.Join(Environment.NewLine, line.Errors.Select(static e => e.Message)));

static int Usage(string error)
{
    Console.Error.WriteLine(error);
    Console.Error.WriteLine("--help shows what can be asked for.");
    return 2;
}
