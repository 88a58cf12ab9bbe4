// A test state with its markup taken out: plain sources, and every expected diagnostic with its place.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis.Text;

namespace Microsoft.CodeAnalysis.Testing;

internal sealed class EvaluatedState
{
    internal required ProjectState Project { get; init; }

    internal required ImmutableArray<(string Name, SourceText Content)> Sources { get; init; }

    internal required ImmutableArray<(string Name, SourceText Content)> AdditionalFiles { get; init; }

    internal required ImmutableArray<(string Name, SourceText Content)> AnalyzerConfigFiles { get; init; }

    internal required ImmutableArray<DiagnosticResult> Expected { get; init; }

    internal static EvaluatedState Create(
        SolutionState state,
        string defaultPath,
        MarkupOptions options,
        DiagnosticDescriptor? unnamed,
        ImmutableArray<DiagnosticDescriptor> known)
    {
        var keyed = ImmutableDictionary.CreateBuilder<string, FileLinePositionSpan>();
        var expected = ImmutableArray.CreateBuilder<DiagnosticResult>();
        ImmutableArray<(string, SourceText)> sources = Strip(state.Sources);
        ImmutableArray<(string, SourceText)> additional = Strip(state.AdditionalFiles);
        ImmutableDictionary<string, FileLinePositionSpan> places = keyed.ToImmutable();
        IEnumerable<DiagnosticResult> written = state.ExpectedDiagnostics.Select(
            result => result.WithDefaultPath(defaultPath).ResolveMarkupKeys(places));
        return new EvaluatedState
        {
            Project = state,
            Sources = sources,
            AdditionalFiles = additional,
            AnalyzerConfigFiles = [.. state.AnalyzerConfigFiles],
            Expected = [.. written, .. expected],
        };

        ImmutableArray<(string, SourceText)> Strip(SourceFileCollection files)
        {
            var plain = ImmutableArray.CreateBuilder<(string, SourceText)>(files.Count);
            foreach ((string name, SourceText content) in files)
            {
                if (state.MarkupHandling == MarkupMode.None)
                {
                    plain.Add((name, content));
                    continue;
                }

                bool keepIndicators = options.HasFlag(MarkupOptions.TreatPositionIndicatorsAsCode);
                (string text, List<TestMarkup.Mark> marks) = TestMarkup.Parse(content.ToString(), keepIndicators);
                SourceText stripped = SourceText.From(text, content.Encoding ?? System.Text.Encoding.UTF8);
                plain.Add((name, stripped));
                foreach (TestMarkup.Mark mark in marks)
                {
                    var span = new FileLinePositionSpan(name, stripped.Lines.GetLinePositionSpan(mark.Span));
                    if (mark.Name?.StartsWith('#') == true)
                    {
                        keyed.Add(mark.Name, span);
                    }
                    else if (state.MarkupHandling != MarkupMode.Ignore)
                    {
                        expected.Add(ForMark(mark.Name).WithSpan(span));
                    }
                }
            }

            return plain.ToImmutable();
        }

        DiagnosticResult ForMark(string? id)
        {
            DiagnosticDescriptor? descriptor = id is null ? unnamed : known.FirstOrDefault(candidate => candidate.Id == id);
            if (id is null && descriptor is null)
            {
                throw new InvalidOperationException("[|...|] needs an analyzer with exactly one diagnostic: write {|ID:...|}.");
            }

            DiagnosticResult result = descriptor is not null ? new(descriptor) : DiagnosticResult.CompilerError(id!);
            return result.WithMessage(null).WithOptions(DiagnosticOptions.IgnoreAdditionalLocations | DiagnosticOptions.IgnoreSeverity);
        }
    }
}
