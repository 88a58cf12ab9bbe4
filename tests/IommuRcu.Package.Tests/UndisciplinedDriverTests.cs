// The sample of mistakes: each file says in its first line which rule it breaks, and the build prints that warning, with its help link, and no other.
using System.Text.RegularExpressions;

namespace IommuRcu.Package.Tests;

public class UndisciplinedDriverTests
{
    private static readonly string _folder = Path.Combine(PackageFixture.Repository, "samples", "UndisciplinedDriver");

    /// <summary>Gets what is meant: a file, and the rule that its first line names.</summary>
    private static IEnumerable<(string File, string Id)> Meant => Directory.EnumerateFiles(_folder, "*.cs")
        .Concat(Directory.EnumerateFiles(_folder, "*.rcucontracts"))
        .Select(file => (Path.GetFileName(file), Regex.Match(File.ReadLines(file).First(), @"^(?://|#) (IRCU\d{3}): ").Groups[1].Value))
        .OrderBy(each => each.Item1, StringComparer.Ordinal);

    [Fact]
    public void Build_PrintsExactlyTheWarningsThatAreMeant_EachTime()
    {
        string scratch = Directory.CreateTempSubdirectory("iommurcu-driver-").FullName;
        try
        {
            AssertPrintsWhatIsMeant(Compile(scratch));

            // Nothing has changed: an ordinary project would not be compiled again, and would print nothing.
            AssertPrintsWhatIsMeant(Compile(scratch));
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    [Fact]
    public void EveryFile_BreaksOneRule_AndNoTwoTheSame()
    {
        Assert.All(Meant, each => Assert.NotEmpty(each.Id));
        Assert.Equal(Meant.Count(), Meant.DistinctBy(each => each.Id).Count());
        Assert.Superset(new HashSet<string> { "IRCU001", "IRCU020", "IRCU030", "IRCU040" }, Meant.Select(each => each.Id).ToHashSet());
    }

    private static void AssertPrintsWhatIsMeant(CommandResult build)
    {
        build.MustSucceed();
        var warnings = Regex.Matches(
            build.Output, @"(?<file>[^/\\\s]+)\(\d+,\d+\): (?<kind>warning|error) (?<id>\w+): .*\((?<link>\S+)\) \[")
            .Select(match => (
                File: match.Groups["file"].Value, Id: match.Groups["id"].Value, Kind: match.Groups["kind"].Value, Link: match.Groups["link"].Value))
            .Distinct()
            .OrderBy(each => each.File, StringComparer.Ordinal)
            .ToList();
        Assert.Equal(Meant, warnings.Select(each => (each.File, each.Id)));
        Assert.All(warnings, each => Assert.Equal("warning", each.Kind));
        Assert.All(warnings, each => Assert.EndsWith($"analyzers/docs/{each.Id}.md", each.Link, StringComparison.Ordinal));

        // Any other warning would be one that nobody meant.
        Assert.Equal(
            Meant.Select(each => each.Id).Order(StringComparer.Ordinal),
            Regex.Matches(build.Output, @"(warning|error) (\w+):").Select(match => match.Groups[2].Value).Distinct().Order(StringComparer.Ordinal));
    }

    // Into a folder of its own: the solution's build may be at work beside.
    private static CommandResult Compile(string scratch) => DotNet.Run(
        _folder,
        null,
        "build",
        "--no-restore",
        "-t:Compile",
        "-c",
        PackageFixture.Configuration,
        "-p:BuildProjectReferences=false",
        "-p:CompileUsingReferenceAssemblies=false",
        $"-p:IntermediateOutputPath={scratch}/");
}
