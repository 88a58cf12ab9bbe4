// Takes the marks out of a test's source: [|span|] and {|ID:span|} expect a diagnostic there, {|#0:span|} names a place, $$ goes.
using System.Text.RegularExpressions;

namespace Microsoft.CodeAnalysis.Testing;

internal static partial class TestMarkup
{
    internal readonly record struct Mark(string? Name, Text.TextSpan Span);

    /// <summary>Separates text and marks; a mark without a name comes from [|...|].</summary>
    internal static (string Text, List<Mark> Marks) Parse(string markup, bool keepPositionIndicators)
    {
        var output = new System.Text.StringBuilder(markup.Length);
        var marks = new List<Mark>();
        var open = new Stack<(string? Name, int Start)>();
        int copied = 0;
        foreach (Match token in Tokens().Matches(markup))
        {
            if (token.Value == "$$" && keepPositionIndicators)
            {
                continue;
            }

            output.Append(markup, copied, token.Index - copied);
            copied = token.Index + token.Length;
            switch (token.Value)
            {
                case "$$":
                    break;
                case "[|":
                    open.Push((null, output.Length));
                    break;
                case "|]" or "|}":
                    if (open.Count == 0 || open.Peek().Name is null != (token.Value == "|]"))
                    {
                        throw new InvalidOperationException($"'{token.Value}' closes nothing at {token.Index} of the markup:\n{markup}");
                    }

                    (string? name, int start) = open.Pop();
                    marks.Add(new Mark(name, Text.TextSpan.FromBounds(start, output.Length)));
                    break;
                default:
                    open.Push((token.Groups["name"].Value, output.Length));
                    break;
            }
        }

        if (open.Count != 0)
        {
            throw new InvalidOperationException($"A span is not closed in the markup:\n{markup}");
        }

        output.Append(markup, copied, markup.Length - copied);
        marks.Sort((left, right) => left.Span.CompareTo(right.Span));
        return (output.ToString(), marks);
    }

    [GeneratedRegex(@"\[\||\|\](?!\|)|\{\|(?<name>#?[\w.]+):|\|\}|\$\$")]
    private static partial Regex Tokens();
}
