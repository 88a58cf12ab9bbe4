// IRCU034: a guard or gather that is copied by value, or captured.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports copies of guards and gathers.</summary>
internal sealed class GuardCopied : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.GuardCopied);

    /// <inheritdoc/>
    public override void Copy(FlowPoint point, IOperation value, string how) => Tell(value, value, how, point.Body);

    /// <inheritdoc/>
    public override void Escape(FlowPoint point, IOperation value, WayOut way, IReadOnlyList<Seen<int>> seen)
    {
        if (way.IsCapture && value.Type is { IsValueType: true } && seen.Any(static s => s.State.FactsOf(s.Value).Holder is Holder.GuardOpen or Holder.GatherEmpty or Holder.GatherFilled))
        {
            Tell(point.Operation, value, "into a closure", point.Body);
        }
    }

    private void Tell(IOperation at, IOperation value, string how, Body body)
    {
        string by = body.Map.FindOnType(value.Type, ContractWord.TableGather) is not null ? "ref" : "in";
        Report(at, null, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.PassBy, by), Names.Of(value), how, by);
    }
}
