// One situation: a few lines of code, and what must, may and must not be reported in them.
using System.Text.RegularExpressions;

namespace IommuRcu.Analyzers.Tests.Situations;

/// <summary>A situation as its file writes it.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="Code">The members of a class, or whole types.</param>
/// <param name="AreTypes">Whether the code declares types rather than members.</param>
/// <param name="Language">The version of C# that it needs; 0 for any.</param>
/// <remarks>
/// A file begins with the rules that it is about. A heading <c>## title</c> begins a situation; behind the title may stand <c>| types</c> and <c>| C# 14</c>.
/// <c>//! IRCU001</c> at the end of a line says that the rule, or one of several with | between them, must be reported on that line; <c>//? IRCU001</c> that it
/// may be, because nobody can tell. Nothing else may be reported: not a second rule on the line either. Suggestions count only in
/// the files that are about them.
/// </remarks>
internal sealed partial record Situation(string Title, string Code, bool AreTypes, int Language)
{
    /// <summary>Reads a file of situations.</summary>
    internal static (string[] Rules, List<Situation> Situations) Read(string text)
    {
        string[] rules = [];
        var situations = new List<Situation>();
        string[] lines = text.Replace("\r", "", StringComparison.Ordinal).Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith("rules ", StringComparison.Ordinal))
            {
                rules = lines[i].Split(' ')[1..];
            }
            else if (lines[i].StartsWith("## ", StringComparison.Ordinal))
            {
                string[] heading = lines[i][3..].Split(" | ");
                int end = Array.FindIndex(lines, i + 1, static l => l.StartsWith("## ", StringComparison.Ordinal));
                string code = string.Join('\n', lines[(i + 1)..(end < 0 ? lines.Length : end)]).Trim('\n');
                string? version = heading.Skip(1).FirstOrDefault(static h => h.StartsWith("C# ", StringComparison.Ordinal));
                situations.Add(new(heading[0], code, heading.Contains("types"), version is null ? 0 : int.Parse(version[3..], System.Globalization.CultureInfo.InvariantCulture)));
            }
        }

        return (rules, situations);
    }

    /// <summary>Gets the source file of the situation, in a namespace of its own.</summary>
    internal string Source(int number) => AreTypes
        ? $"#nullable disable\nnamespace Situation{number} {{\n{Code}\n}}\n"
        : $"#nullable disable\nnamespace Situation{number} {{ partial class C {{ Table table = new(); Pool pool = new(); Epoch epoch = new(), epoch2 = new(); Sleepable sleepable = new(); Store store = new(); bool Flag;\n{Code}\n}} }}\n";

    /// <summary>Gets what is said of the rules on a line of the source.</summary>
    internal static IEnumerable<(bool Must, string[] Rules)> Marks(string line)
        => Mark().Matches(line).Select(static m => (m.Groups[1].Value == "!", m.Groups[2].Value.Split('|')));

    [GeneratedRegex(@"//([!?]) (IRCU[0-9]{3}(?:\|IRCU[0-9]{3})*)")]
    private static partial Regex Mark();
}
