// The files that list all rules say what the descriptors say, no more and no less. With IOMMURCU_WRITE_DOCS set they are written instead.
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Tests.Documents;

public class GeneratedFileTests
{
    private static readonly DiagnosticDescriptor[] _rules =
        [.. new RcuDisciplineAnalyzer().SupportedDiagnostics.DistinctBy(rule => rule.Id).OrderBy(rule => rule.Id, StringComparer.Ordinal)];

    [Fact]
    public void DefaultPreset_SpellsOutWhatTheRulesShipWith() => Check(
        "analyzers/package/config/IommuRcu.Default.globalconfig",
        Preset("The severities that the rules ship with, spelled out: a base for settings of one's own.", Shipped));

    [Fact]
    public void NonePreset_SwitchesEveryRuleOff() => Check(
        "analyzers/package/config/IommuRcu.None.globalconfig",
        Preset("All rules off: a base for switching single ones on.", _ => "none"));

    [Fact]
    public void StrictPreset_RaisesEveryRule() => Check(
        "analyzers/package/config/IommuRcu.Strict.globalconfig",
        Preset(
            "Everything the rules can see: what is a warning by default fails the build, what is a suggestion or off is a warning.",
            rule => Shipped(rule) == "warning" ? "error" : "warning"));

    [Fact]
    public void ValidCode_IsHeldToEveryRule() => Check(
        "tests/ValidCode/everything.globalconfig",
        "# Every rule is an error here, what is only suggested and what is off by default included.\nis_global = true\nglobal_level = 100\n"
        + string.Concat(_rules.Select(rule => $"dotnet_diagnostic.{rule.Id}.severity = error\n")));

    [Fact]
    public void UndisciplinedDriver_ShowsWhatIsOnlySuggested() => Check(
        "samples/UndisciplinedDriver/everything.globalconfig",
        "# What the rules only suggest is a warning here, so that the build shows it.\nis_global = true\nglobal_level = 100\n"
        + string.Concat(_rules.Where(rule => Shipped(rule) != "warning" && rule.Id != "IRCU095").Select(rule => $"dotnet_diagnostic.{rule.Id}.severity = warning\n")));

    [Fact]
    public void Book_NamesNoRuleThatDoesNotExist()
    {
        IEnumerable<string> named = Regex.Matches(Page.Read("docs/discipline.md").Text, @"IRCU\d{3}").Select(match => match.Value);
        Assert.Equal([], named.Except(_rules.Select(rule => rule.Id)));
    }

    private static string Shipped(DiagnosticDescriptor rule) =>
        !rule.IsEnabledByDefault ? "none" : rule.DefaultSeverity == DiagnosticSeverity.Warning ? "warning" : "suggestion";

    private static string Preset(string what, Func<DiagnosticDescriptor, string> severity)
    {
        var text = new StringBuilder($"# {what}\nis_global = true\nglobal_level = -1\n");
        foreach (DiagnosticDescriptor rule in _rules)
        {
            text.Append(null, $"\n# {rule.Title}\ndotnet_diagnostic.{rule.Id}.severity = {severity(rule)}\n");
        }

        return text.ToString();
    }

    private static void Check(string file, string expected)
    {
        string path = Path.Combine(RulePage.Repository, file);
        if (!string.IsNullOrEmpty(Environment.GetEnvironmentVariable("IOMMURCU_WRITE_DOCS")))
        {
            File.WriteAllText(path, expected);
        }

        Assert.True(
            expected == File.ReadAllText(path).Replace("\r\n", "\n", StringComparison.Ordinal),
            $"{file} differs from the rules. Run this test with IOMMURCU_WRITE_DOCS=1 to write it.");
    }
}
