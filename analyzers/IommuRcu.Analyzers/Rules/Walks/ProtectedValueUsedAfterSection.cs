// IRCU005: a protected value that is used after the section it was read in closed.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports uses of values whose section has closed.</summary>
internal sealed class ProtectedValueUsedAfterSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.ProtectedValueUsedAfterSection);

    /// <inheritdoc/>
    public override void Use(FlowPoint point, IOperation value, IReadOnlyList<Seen<int>> seen)
    {
        if (Verdict.Of(point, seen, IsDead, out Seen<int> wrong) >= Certainty.Definite)
        {
            Report(value, wrong.State.FactsOf(wrong.Value).CloseSite, null, Names.Of(value));
        }
    }

    /// <inheritdoc/>
    public override void Escape(FlowPoint point, IOperation value, WayOut way, IReadOnlyList<Seen<int>> seen) => Use(point, value, seen);

    private static bool IsDead(Seen<int> seen)
    {
        Facts facts = seen.State.FactsOf(seen.Value);
        return facts is { Origin: OriginKind.Closed, IsBound: false, Holder: Holder.None } && facts.Reclaim is Flow.Reclaim.None or Flow.Reclaim.Published
            && facts.Origin == OriginKind.Closed && seen.State.RangeOf(seen.Value).Single != 0;
    }
}
