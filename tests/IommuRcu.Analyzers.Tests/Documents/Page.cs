// Reads the pages that people read first: the READMEs and docs/*.md, with their C# blocks, links and headings.
using System.Text.RegularExpressions;

namespace IommuRcu.Analyzers.Tests.Documents;

/// <summary>One page of Markdown.</summary>
/// <param name="Name">Its path below the repository, with slashes.</param>
/// <param name="Text">What it says, with line feeds only.</param>
internal sealed record Page(string Name, string Text)
{
    private static readonly string[] _readmes = ["README.md", "CONTRIBUTING.md", "src/IommuRcu/README.md", "analyzers/package/README.md"];

    /// <summary>Gets the READMEs and the pages of docs.</summary>
    internal static IEnumerable<Page> All =>
    [
        .. _readmes.Select(Read),
        .. Directory.EnumerateFiles(Path.Combine(RulePage.Repository, "docs"), "*.md").Order(StringComparer.Ordinal)
            .Select(file => Read("docs/" + Path.GetFileName(file))),
    ];

    /// <summary>Gets the pages of the rules as well.</summary>
    internal static IEnumerable<Page> WithRules => [.. All, .. RulePage.All.Select(rule => new Page($"analyzers/docs/{rule.Id}.md", rule.Text))];

    /// <summary>Gets the C# blocks, each with the comment right above it.</summary>
    internal IEnumerable<Snippet> Snippets => Regex
        .Matches(Text, @"^(?:<!-- *(?<comment>(?:(?!-->).)*?) *-->\n)?```csharp\n(?<code>.*?)\n```$", RegexOptions.Multiline | RegexOptions.Singleline)
        .Select(block => new Snippet(
            $"{Name}:{Text[..block.Groups["code"].Index].Count(c => c == '\n') + 1}", block.Groups["comment"].Value, block.Groups["code"].Value));

    /// <summary>Gets where its links lead, code left out.</summary>
    internal IEnumerable<string> Links => Regex
        .Matches(Regex.Replace(Text, "^```.*?^```$|`[^`\n]*`", string.Empty, RegexOptions.Multiline | RegexOptions.Singleline), @"\]\((?<to>[^)\s]+)\)")
        .Select(link => link.Groups["to"].Value);

    /// <summary>Gets the anchors of its headings, as code hosts make them.</summary>
    internal IEnumerable<string> Anchors => Regex
        .Matches(Text, @"^#+ (?<heading>.+)$", RegexOptions.Multiline)
        .Select(line => Regex.Replace(line.Groups["heading"].Value.ToLowerInvariant(), @"[^\w\- ]", string.Empty).Replace(' ', '-'));

    internal static Page Read(string name) =>
        new(name, File.ReadAllText(Path.Combine(RulePage.Repository, name)).Replace("\r\n", "\n", StringComparison.Ordinal));
}

/// <summary>One C# block of a page.</summary>
/// <param name="Place">The page and the line where it begins.</param>
/// <param name="Comment">What the comment above it says of it; empty where there is none.</param>
/// <param name="Code">The block.</param>
internal sealed record Snippet(string Place, string Comment, string Code);
