// IRCU044: a page that is used after it was gathered, retired or freed.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Reclaim;

/// <summary>Reports uses after the page was given up.</summary>
internal sealed class UsedAfterRetire : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.UsedAfterRetire);

    /// <inheritdoc/>
    public override void Use(FlowPoint point, IOperation value, IReadOnlyList<Seen<int>> seen)
    {
        Tell(point, value, seen, IsGone);
    }

    private void Tell(FlowPoint point, IOperation value, IReadOnlyList<Seen<int>> seen, System.Func<Seen<int>, bool> isGone)
    {
        if (Verdict.Of(point, seen, isGone, out Seen<int> wrong) >= Certainty.Definite)
        {
            IOperation? site = wrong.State.FactsOf(wrong.Value).ReclaimSite;
            Report(value, site, null, Names.Of(value), Names.OfCall(site));
        }
    }

    /// <inheritdoc/>
    public override void Reclaim(FlowPoint point, ContractWord word, IOperation? value, IReadOnlyList<Seen<int>> seen)
    {
        if (word == ContractWord.Publishes && value is not null)
        {
            // Linking it again is wrong whatever is open.
            Tell(point, value, seen, static s => s.State.FactsOf(s.Value).Reclaim is Flow.Reclaim.Freed or Flow.Reclaim.Retired or Flow.Reclaim.Gathered or Flow.Reclaim.Flushed);
        }
    }

    // A section that was open before keeps a retired page alive, but not a freed one.
    private static bool IsGone(Seen<int> seen)
    {
        Facts facts = seen.State.FactsOf(seen.Value);
        return facts.Reclaim == Flow.Reclaim.Freed || (facts.Reclaim is Flow.Reclaim.Retired or Flow.Reclaim.Gathered or Flow.Reclaim.Flushed && facts.Origin != OriginKind.Open);
    }
}
