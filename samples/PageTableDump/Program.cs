// Dumps the page tables of every format, as text, JSON or an SVG map of the address space, while a driver goes on mapping.
using System.CommandLine;
using IommuRcu.Samples.PageTableDump;

var format = new Option<string?>("--format") { Description = "Show only the formats whose name contains this." };
var json = new Option<bool>("--json") { Description = "Write one JSON document to standard output instead of text." };
var tables = new Option<bool>("--tables") { Description = "Show every table with its raw entries." };
var svg = new Option<DirectoryInfo?>("--svg") { Description = "Write an SVG map for each format into this directory." };
var root = new RootCommand("Dumps IOMMU page tables while they change.") { format, json, tables, svg };
root.SetAction(result => Demonstration.Run(
    Console.Out,
    result.GetValue(format),
    result.GetValue(json),
    result.GetValue(tables),
    result.GetValue(svg)));
return root.Parse(args).Invoke();
