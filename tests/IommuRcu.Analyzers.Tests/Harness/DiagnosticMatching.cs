// Compares what an analyzer said with what a test expects, and says in full what is missing and what is too much.
using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis.Text;

namespace Microsoft.CodeAnalysis.Testing;

internal static class DiagnosticMatching
{
    internal static void Verify(ImmutableArray<Diagnostic> actual, ImmutableArray<DiagnosticResult> expected, IVerifier verifier)
    {
        List<Diagnostic> unexpected = [.. actual];
        var missing = new List<DiagnosticResult>();

        // The most specific expectation chooses first, so that one without a place or message cannot take another's diagnostic.
        foreach (DiagnosticResult result in expected.OrderByDescending(Specificity))
        {
            int index = unexpected.FindIndex(candidate => Mismatch(candidate, result) is null);
            if (index >= 0)
            {
                unexpected.RemoveAt(index);
            }
            else
            {
                missing.Add(result);
            }
        }

        if (missing.Count != 0 || unexpected.Count != 0)
        {
            verifier.Fail(Describe(actual.Length, expected.Length, missing, unexpected));
        }
    }

    private static int Specificity(DiagnosticResult result) =>
        result.Spans.Length * 8 + (result.Message is null ? 0 : 4) + (result.Options.HasFlag(DiagnosticOptions.IgnoreSeverity) ? 0 : 1);

    private static string? Mismatch(Diagnostic actual, DiagnosticResult expected)
    {
        if (actual.Id != expected.Id)
        {
            return "the id differs";
        }

        if (!expected.Options.HasFlag(DiagnosticOptions.IgnoreSeverity) && actual.Severity != expected.Severity)
        {
            return $"the severity is {actual.Severity}";
        }

        if (expected.IsSuppressed is bool suppressed && suppressed != actual.IsSuppressed)
        {
            return "whether it is suppressed differs";
        }

        if (expected.HasLocation)
        {
            if (!IsAt(actual.Location, expected.Spans[0]))
            {
                return "the place differs";
            }

            if (!expected.Options.HasFlag(DiagnosticOptions.IgnoreAdditionalLocations))
            {
                if (actual.AdditionalLocations.Count != expected.Spans.Length - 1)
                {
                    return $"it has {actual.AdditionalLocations.Count} additional locations";
                }

                for (int i = 1; i < expected.Spans.Length; i++)
                {
                    if (!IsAt(actual.AdditionalLocations[i - 1], expected.Spans[i]))
                    {
                        return $"additional location {i} differs";
                    }
                }
            }
        }
        else if (actual.Location != Location.None && !expected.Options.HasFlag(DiagnosticOptions.IgnoreSeverity))
        {
            return "a place was not expected";
        }

        string message = actual.GetMessage(System.Globalization.CultureInfo.InvariantCulture);
        return expected.Message is not null && expected.Message != message ? "the message differs" : null;
    }

    private static bool IsAt(Location location, DiagnosticLocation expected)
    {
        FileLinePositionSpan span = location.GetLineSpan();
        return span.Path == expected.Span.Path
            && span.StartLinePosition == expected.Span.StartLinePosition
            && (expected.Options.HasFlag(DiagnosticLocationOptions.IgnoreLength) || span.EndLinePosition == expected.Span.EndLinePosition);
    }

    private static string Describe(int actualCount, int expectedCount, List<DiagnosticResult> missing, List<Diagnostic> unexpected)
    {
        var text = new StringBuilder();
        text.AppendLine($"The diagnostics differ: {expectedCount} expected, {actualCount} actual.");
        foreach (DiagnosticResult result in missing)
        {
            text.AppendLine($"missing:    {result}");
            List<string?> reasons = [.. unexpected.Where(candidate => candidate.Id == result.Id)
                .Select(candidate => $"{candidate.Location.GetLineSpan()}: {Mismatch(candidate, result)}")];
            if (reasons.Count != 0)
            {
                text.AppendLine($"            not matched by: {string.Join("; ", reasons)}");
            }
        }

        foreach (Diagnostic diagnostic in unexpected)
        {
            text.AppendLine($"unexpected: {diagnostic}");
            foreach (Location location in diagnostic.AdditionalLocations)
            {
                text.AppendLine($"            and at {location.GetLineSpan()}");
            }

            if (diagnostic.Location.SourceTree?.GetText() is SourceText source)
            {
                int line = diagnostic.Location.GetLineSpan().StartLinePosition.Line;
                text.AppendLine($"            | {source.Lines[line].ToString().Trim()}");
            }
        }

        return text.ToString();
    }
}
