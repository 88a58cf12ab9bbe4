// The sample of mistakes: its build prints one warning a file, each with its help link, and nothing else.
using System.Text.RegularExpressions;

namespace IommuRcu.Package.Tests;

public class UndisciplinedDriverTests
{
    private static readonly (string File, string Id)[] _expected =
    [
        ("AsyncReader.cs", "IRCU023"),
        ("BatchUnmapper.cs", "IRCU045"),
        ("DoubleCloser.cs", "IRCU032"),
        ("EarlyReturn.cs", "IRCU033"),
        ("EntryMarker.cs", "IRCU072"),
        ("ItemRetirer.cs", "IRCU060"),
        ("LastNodeCache.cs", "IRCU004"),
        ("MappingCounter.cs", "IRCU006"),
        ("MappingPoller.cs", "IRCU022"),
        ("MappingProbe.cs", "IRCU031"),
        ("MisnamedLock.cs", "IRCU090"),
        ("NodeReader.cs", "IRCU005"),
        ("NodeVisitor.cs", "IRCU039"),
        ("OverridingTable.cs", "IRCU091"),
        ("PacketFilter.cs", "IRCU030"),
        ("PageDropper.cs", "IRCU043"),
        ("PageMeasurer.cs", "IRCU044"),
        ("PoolCloser.cs", "IRCU065"),
        ("PoolOwner.cs", "IRCU064"),
        ("QueueTeardown.cs", "IRCU040"),
        ("QuickProbe.cs", "IRCU009"),
        ("RangeUnmapper.cs", "IRCU034"),
        ("RingResizer.cs", "IRCU020"),
        ("RingScanner.cs", "IRCU012"),
        ("SettingsPublisher.cs", "IRCU003"),
        ("SettingsReader.cs", "IRCU002"),
        ("SleepyDumper.cs", "IRCU007"),
        ("SlotReplacer.cs", "IRCU042"),
        ("StatisticsReader.cs", "IRCU008"),
        ("TableDumper.cs", "IRCU001"),
        ("TableRetirer.cs", "IRCU041"),
        ("TableWriter.cs", "IRCU070"),
        ("UnexplainedDumper.cs", "IRCU092"),
        ("vendor.rcucontracts", "IRCU093"),
    ];

    [Fact]
    public void Build_PrintsExactlyTheWarningsThatAreMeant()
    {
        string scratch = Directory.CreateTempSubdirectory("iommurcu-driver-").FullName;
        try
        {
            // Compiles the sample anew into a folder of its own: the solution's build may be at work beside.
            CommandResult build = DotNet.Run(
                Path.Combine(PackageFixture.Repository, "samples", "UndisciplinedDriver"),
                null,
                "build",
                "--no-restore",
                "-t:Compile",
                "-c",
                PackageFixture.Configuration,
                "-p:BuildProjectReferences=false",
                "-p:CompileUsingReferenceAssemblies=false",
                $"-p:IntermediateOutputPath={scratch}/");
            build.MustSucceed();

            var warnings = Regex.Matches(
                build.Output, @"(?<file>[^/\\\s]+)\(\d+,\d+\): (?<kind>warning|error) (?<id>\w+): .*\((?<link>\S+)\) \[")
                .Select(match => (
                    File: match.Groups["file"].Value, Id: match.Groups["id"].Value, Kind: match.Groups["kind"].Value, Link: match.Groups["link"].Value))
                .Distinct()
                .OrderBy(each => each.File, StringComparer.Ordinal)
                .ToList();
            Assert.Equal(_expected, warnings.Select(each => (each.File, each.Id)));
            Assert.All(warnings, each => Assert.Equal("warning", each.Kind));
            Assert.All(warnings, each => Assert.EndsWith($"analyzers/docs/{each.Id}.md", each.Link, StringComparison.Ordinal));

            // Any other warning would be one that nobody meant.
            Assert.Equal(
                _expected.Select(each => each.Id).Order(StringComparer.Ordinal),
                Regex.Matches(build.Output, @"(warning|error) (\w+):").Select(match => match.Groups[2].Value).Distinct().Order(
                    StringComparer.Ordinal));
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    [Fact]
    public void EveryFile_SaysInItsFirstLineWhichRuleItBreaks()
    {
        string folder = Path.Combine(PackageFixture.Repository, "samples", "UndisciplinedDriver");
        IEnumerable<(string, string)> files = Directory.EnumerateFiles(folder, "*.cs")
            .Concat(Directory.EnumerateFiles(folder, "*.rcucontracts"))
            .Select(file => (Path.GetFileName(file), Regex.Match(File.ReadLines(file).First(), @"^(?://|#) (IRCU\d{3}): ").Groups[1].Value))
            .OrderBy(each => each.Item1, StringComparer.Ordinal);
        Assert.Equal(_expected, files);
    }
}
