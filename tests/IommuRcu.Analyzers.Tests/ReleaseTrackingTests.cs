// The release files, the descriptors and the help links agree: the tracking analyzer cannot see through the factory.
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Tests;

public sealed class ReleaseTrackingTests
{
    private static readonly IReadOnlyList<DiagnosticDescriptor> _rules = [.. new RcuDisciplineAnalyzer().SupportedDiagnostics];

    [Fact]
    public void ReleaseFiles_ListExactlyTheSupportedRules()
    {
        string folder = System.IO.Path.Combine(Root(), "analyzers", "IommuRcu.Analyzers");
        string text = File.ReadAllText(System.IO.Path.Combine(folder, "AnalyzerReleases.Unshipped.md")) + File.ReadAllText(System.IO.Path.Combine(folder, "AnalyzerReleases.Shipped.md"));
        var listed = Regex.Matches(text, @"^(IRCU\d{3}) \| (\S+) \| (\w+) \|", RegexOptions.Multiline).Select(m => $"{m.Groups[1].Value} {m.Groups[2].Value} {m.Groups[3].Value}");
        var supported = _rules.Select(r => $"{r.Id} {r.Category} {(r.IsEnabledByDefault ? r.DefaultSeverity.ToString() : "Disabled")}");
        Assert.Equal(supported.Order(), listed.Order());
    }

    [Fact]
    public void HelpLinks_PointToTheRulesPage()
        => Assert.All(_rules, r => Assert.Equal(Descriptors.HelpFolder + r.Id + ".md", r.HelpLinkUri));

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(System.IO.Path.Combine(folder!.FullName, "IommuRcu.sln")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
