// IRCU040: a free that bypasses the grace period, of a page that readers may stand on.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;
using State = IommuRcu.Analyzers.Flow.State;

namespace IommuRcu.Analyzers.Rules.Reclaim;

/// <summary>Reports direct frees of published pages, and direct calls of reclaim callbacks.</summary>
internal sealed class DirectFree : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.DirectFree);

    /// <inheritdoc/>
    public override void Reclaim(FlowPoint point, ContractWord word, IOperation? value, IReadOnlyList<Seen<int>> seen)
    {
        if (word != ContractWord.Frees || value is null)
        {
            return;
        }

        if (Verdict.Of(point, seen, s => IsReachable(s, point.Body), out Seen<int> wrong) is var certainty && (certainty == Certainty.None || (certainty == Certainty.Possible && !seen.All(s => IsReachable(s, point.Body) || IsGone(s)))))
        {
            return;
        }

        Facts facts = wrong.State.FactsOf(wrong.Value);
        string why = facts.Reclaim switch
        {
            Flow.Reclaim.Published => "it was published and readers may still reach it",
            Flow.Reclaim.Unlinked => "readers that found it before it was unlinked may still stand on it",
            Flow.Reclaim.Flushed => "devices are past it, but readers may still stand on it",
            _ => "nothing shows that no reader can reach it",
        };
        string name = Names.OfCall(point.Operation);
        Report(point.Operation, facts.ReclaimSite, Properties(value, facts.Reclaim == Flow.Reclaim.Published), name, Names.Of(value), why);
    }

    /// <inheritdoc/>
    public override void ReclaimAtOnce(FlowPoint point, CallSite call, IOperation? value, IReadOnlyList<Seen<int>> seen)
    {
        // A value nobody else can reach may go through its reclaim callback at once.
        if (!point.Body.IsCallback && !seen.All(static s => s.State.Waited || s.State.FactsOf(s.Value).Reclaim is Flow.Reclaim.Fresh or Flow.Reclaim.Quiescent or Flow.Reclaim.Trusted))
        {
            Report(point.Operation, null, Properties(value, seen.Any(static s => s.State.FactsOf(s.Value).Reclaim == Flow.Reclaim.Published)), call.Method.Name, Names.Of(value), "it is a reclaim callback, which only a grace period may run");
        }
    }

    // Wrong as well, by another rule.
    private static bool IsGone(Seen<int> seen) => seen.State.FactsOf(seen.Value).Reclaim is Flow.Reclaim.Gathered or Flow.Reclaim.Retired or Flow.Reclaim.Freed;

    /// <summary>Tells whether a reader may reach a value that is freed.</summary>
    internal static bool IsReachable(Seen<int> seen, Body body)
    {
        if (seen.State.RangeOf(seen.Value).Single == 0 && seen.State.Table.Info(seen.Value).Kind == ValueKind.Constant)
        {
            return false;
        }

        return seen.State.FactsOf(seen.Value).Reclaim switch
        {
            Flow.Reclaim.None => !seen.State.Waited && !body.IsCallback && !IsPartOfFresh(seen),
            Flow.Reclaim.Published or Flow.Reclaim.Unlinked or Flow.Reclaim.Flushed => true,
            _ => false,
        };
    }

    // A member of an object that no reader can reach is as private as the object.
    private static bool IsPartOfFresh(Seen<int> seen)
    {
        int value = seen.Value;
        for (int depth = 0; depth < 6; depth++)
        {
            ValueInfo info = seen.State.Table.Info(value);
            if (info.Kind != ValueKind.Initial || seen.State.Table.SlotInfo(info.A) is not { Symbol: not null, Index: > 0 } slot)
            {
                return false;
            }

            value = slot.Index;
            if (seen.State.FactsOf(value).Reclaim is Flow.Reclaim.Fresh or Flow.Reclaim.Trusted or Flow.Reclaim.Quiescent)
            {
                return true;
            }
        }

        return false;
    }

    // What is still linked must be unlinked first, which no fix can do.
    private static ImmutableDictionary<string, string?>? Properties(IOperation? page, bool isLinked)
        => page is null || isLinked ? null : ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Page, Names.Of(page));
}
