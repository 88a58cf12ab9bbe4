// dotnet format on a consumer that breaks every rule with a fix, each in a file of its own: nothing is left to report.
using System.Text.RegularExpressions;

namespace IommuRcu.Package.Tests;

[Collection(nameof(PackageCollection))]
public class FormatTests(PackageFixture packages)
{
    [Fact]
    public void Format_FixesEveryRuleWithAFix()
    {
        string[] fixable = [.. Regex.Matches(
            File.ReadAllText(Path.Combine(PackageFixture.Repository, "README.md")), @"^\| \[(IRCU\d{3})\].*\| yes \|\r?$", RegexOptions.Multiline)
            .Select(static match => match.Groups[1].Value)];
        (string File, string Text)[] files = [.. Directory.EnumerateFiles(Path.Combine(PackageFixture.Repository, "samples", "UndisciplinedDriver"), "*.cs")
            .Select(static file => (Path.GetFileName(file), File.ReadAllText(file)))
            .Where(file => fixable.Contains(RuleOf(file.Item2)))
            .OrderBy(static file => file.Item1, StringComparer.Ordinal)];
        Assert.Equal(fixable, files.Select(static file => RuleOf(file.Text)).Order(StringComparer.Ordinal));
        Consumer consumer = packages.CreateConsumer("all-fixes", "IommuRcu", files);

        // What the rules only suggest is a warning here, so that it counts.
        consumer.Write(
            ".editorconfig",
            "root = true\n[*.cs]\n" + string.Concat(fixable.Select(static id => $"dotnet_diagnostic.{id}.severity = warning\n")));
        consumer.Run("restore", "-v", "q").MustSucceed();
        CommandResult before = consumer.Build("--no-restore");
        before.MustSucceed();
        Assert.Equal(fixable, Rules(before));

        // One go, in whatever order dotnet format takes the rules: it promises none.
        consumer.Run("format", "analyzers", "--no-restore", "--severity", "warn").MustSucceed();
        CommandResult after = consumer.Build("--no-restore");
        after.MustSucceed();
        Assert.Empty(Rules(after));
    }

    private static string RuleOf(string text) => Regex.Match(text, @"^// (IRCU\d{3}): ").Groups[1].Value;

    private static IEnumerable<string> Rules(CommandResult build) =>
        build.Findings().Select(static finding => Regex.Match(finding, @"IRCU\d{3}").Value)
            .Where(static id => id.Length != 0).Distinct().Order(StringComparer.Ordinal);
}
