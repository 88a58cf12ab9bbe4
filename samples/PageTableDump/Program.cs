// Dumps the page tables of every format, as text, JSON or an SVG map of the address space, while a driver goes on mapping.
using System.CommandLine;
using IommuRcu.Samples.PageTableDump;

var format = new Option<string?>("--format") { Description = "Show only the formats whose name contains this." };
var json = new Option<bool>("--json") { Description = "Write one JSON document to standard output instead of text." };
var tables = new Option<bool>("--tables") { Description = "Show every table with its raw entries." };
var svg = new Option<DirectoryInfo?>("--svg") { Description = "Write an SVG map for each format into this directory." };
format.Validators.Add(static given =>
{
    string name = given.GetValueOrDefault<string?>() ?? string.Empty;
    if (!Demonstration.Names.Any(each => Demonstration.Matches(each, name)))
    {
        given.AddError($"No format is called '{name}'. There are: {string.Join("; ", Demonstration.Names)}.");
    }
});
var root = new RootCommand("Dumps IOMMU page tables while they change. Exit code 2: the command line was wrong.") { format, json, tables, svg };
root.SetAction(result =>
{
    try
    {
        Demonstration.Run(Console.Out, result.GetValue(format), result.GetValue(json), result.GetValue(tables), result.GetValue(svg));
        return 0;
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
    {
        return Usage(e.Message);
    }
});
ParseResult line = root.Parse(args);
return line.Errors.Count == 0 ? line.Invoke() : Usage(string.Join(Environment.NewLine, line.Errors.Select(static e => e.Message)));

static int Usage(string error)
{
    Console.Error.WriteLine(error);
    Console.Error.WriteLine("--help shows what can be asked for.");
    return 2;
}
