// IRCU046: a gather that goes on after it was disposed.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Reclaim;

/// <summary>Reports uses of gathers whose list has been handed on for good.</summary>
internal sealed class GatherUsedAfterSync : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.GatherUsedAfterSync);

    /// <inheritdoc/>
    public override void Use(FlowPoint point, IOperation value, IReadOnlyList<Seen<int>> seen)
    {
        // Disposing again is allowed everywhere in .NET.
        if (point.Operation is IInvocationOperation { TargetMethod: { Name: "Dispose" or "DisposeAsync", Parameters.IsEmpty: true } })
        {
            return;
        }

        if (Verdict.Of(point, seen, static s => s.State.FactsOf(s.Value).Holder == Holder.GatherDisposed, out Seen<int> wrong) >= Certainty.Definite)
        {
            Report(point.Operation, wrong.State.FactsOf(wrong.Value).CloseSite, null, Names.Of(value));
        }
    }
}
