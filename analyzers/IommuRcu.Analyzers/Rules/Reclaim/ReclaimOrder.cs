// IRCU041, 042, 043: steps in the order of a free that are left out or taken twice.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;
using static IommuRcu.Analyzers.Descriptors;

namespace IommuRcu.Analyzers.Rules.Reclaim;

/// <summary>Reports retiring before the flush, while linked, or twice.</summary>
internal sealed class ReclaimOrder : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(RetiredBeforeFlush, RetiredWhileLinked, FreedTwice);

    /// <inheritdoc/>
    public override void Reclaim(FlowPoint point, ContractWord word, IOperation? value, IReadOnlyList<Seen<int>> seen)
    {
        if (value is null || word is not (ContractWord.Gathers or ContractWord.Retires or ContractWord.Frees))
        {
            return;
        }

        string name = Names.OfCall(point.Operation);
        // Where every path is wrong in one way or another, each way counts.
        bool flushes = point.Operation is IInvocationOperation call && (point.Body.Map.Of(call.TargetMethod).SelfWords & ContractWord.FlushesIotlb) != 0;
        Certainty enough = seen.All(s => IsWrong(s, word, flushes, point.Body)) ? Certainty.Possible : Certainty.Definite;
        if (Verdict.Of(point, seen, static s => Is(s, Flow.Reclaim.Retired, Flow.Reclaim.Freed), out Seen<int> twice) >= enough
            || (word == ContractWord.Gathers && Verdict.Of(point, seen, static s => Is(s, Flow.Reclaim.Gathered, Flow.Reclaim.Flushed), out twice) >= enough))
        {
            bool always = seen.All(s => Is(s, Flow.Reclaim.Retired, Flow.Reclaim.Freed) || (word == ContractWord.Gathers && Is(s, Flow.Reclaim.Gathered, Flow.Reclaim.Flushed)));
            ImmutableDictionary<string, string?> properties = ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.OnEveryPath, always ? "true" : null);
            Findings.Report(FreedTwice, LocationOf(point.Operation), new[] { twice.State.FactsOf(twice.Value).ReclaimSite }, properties, Names.Of(value));
            return;
        }

        if (word != ContractWord.Gathers && !flushes && Verdict.Of(point, seen, static s => Is(s, Flow.Reclaim.Gathered), out Seen<int> early) >= enough)
        {
            Tell(RetiredBeforeFlush, point, early, name, Names.Of(value));
        }
        else if (word != ContractWord.Frees && Verdict.Of(point, seen, static s => Is(s, Flow.Reclaim.Published), out Seen<int> linked) >= enough)
        {
            Tell(RetiredWhileLinked, point, linked, name, Names.Of(value));
        }
    }

    private static bool IsWrong(Seen<int> seen, ContractWord word, bool flushes, Body body)
        => Is(seen, Flow.Reclaim.Retired, Flow.Reclaim.Freed)
            || (word == ContractWord.Gathers ? Is(seen, Flow.Reclaim.Gathered, Flow.Reclaim.Flushed) : !flushes && Is(seen, Flow.Reclaim.Gathered))
            || (word == ContractWord.Frees ? DirectFree.IsReachable(seen, body) : Is(seen, Flow.Reclaim.Published));

    private static bool Is(Seen<int> seen, params Flow.Reclaim[] steps)
        => System.Array.IndexOf(steps, seen.State.FactsOf(seen.Value).Reclaim) >= 0;

    private void Tell(DiagnosticDescriptor descriptor, FlowPoint point, Seen<int> seen, params object?[] arguments)
        => Findings.Report(descriptor, LocationOf(point.Operation), new[] { seen.State.FactsOf(seen.Value).ReclaimSite }, ImmutableDictionary<string, string?>.Empty, arguments);
}
