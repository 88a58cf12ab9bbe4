// How an analyzer is set up: as shipped, or otherwise by a test or a benchmark.
using System.Collections.Immutable;
using IommuRcu.Analyzers.Rules;

namespace IommuRcu.Analyzers;

/// <summary>The set-up of one analyzer.</summary>
internal sealed record AnalysisSettings
{
    /// <summary>Gets the set-up that is shipped.</summary>
    public static AnalysisSettings Shipped { get; } = new();

    /// <summary>Gets the rules that listen.</summary>
    public ImmutableArray<Rule> Rules { get; init; } = RuleCatalog.All;

    /// <summary>Gets what the flow analysis can do.</summary>
    public Abilities Abilities { get; init; } = Abilities.All;

    /// <summary>Gets whether a body is first gone through in haste, to be proven clean where it is: the reports are the same without.</summary>
    public bool ProvesFirst { get; init; } = true;

    /// <summary>Gets whether an error of the analysis itself is thrown rather than reported.</summary>
    public bool ThrowsOnInternalError { get; init; }
}
