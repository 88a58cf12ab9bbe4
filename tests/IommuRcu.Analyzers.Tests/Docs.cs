// Reads the pages of the rules and the book that they serve.
using System.Reflection;
using System.Text.RegularExpressions;

namespace IommuRcu.Analyzers.Tests;

/// <summary>One page of analyzers/docs.</summary>
internal sealed partial record RulePage(string Id, string Text)
{
    internal string Title => Text.Split('\n')[0];

    internal static string Repository { get; } = typeof(RulePage).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == "RepositoryRoot").Value!;

    internal static string Folder { get; } = Path.Combine(Repository, "analyzers", "docs");

    internal static IEnumerable<RulePage> All => Directory.EnumerateFiles(Folder, "IRCU*.md")
        .Order(StringComparer.Ordinal)
        .Select(file =>
            new RulePage(Path.GetFileNameWithoutExtension(file), File.ReadAllText(file).Replace("\r\n", "\n", StringComparison.Ordinal)));

    /// <summary>Gets the value of a row of the table at the top.</summary>
    internal string? Row(string name) => Regex.Match(Text, $@"^\| {name} \| (.*) \|$", RegexOptions.Multiline) is { Success: true } row
        ? row.Groups[1].Value
        : null;

    /// <summary>Gets the C# example below a heading; null where it is of another language.</summary>
    internal string? Example(string heading) =>
        Regex.Match(
            Text, $@"^## {heading}\n\n```csharp\n(.*?)\n```", RegexOptions.Multiline | RegexOptions.Singleline) is { Success: true } block
            ? block.Groups[1].Value
            : null;
}
