// IRCU066: something is retired through a pool that was shut down.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Callbacks;

/// <summary>Reports what is retired, or queued, after the end of whoever would take it.</summary>
internal sealed class RetireAfterShutdown : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.RetireAfterShutdown);

    /// <inheritdoc/>
    public override void Give(FlowPoint point, ContractWord word, IOperation value, IOperation pool, IReadOnlyList<Seen<Giving>> seen)
    {
        // A pool that frees at once, without a grace period, may go on doing so.
        if (word != ContractWord.Frees && Verdict.Of(point, seen, static s => s.State.FactsOf(s.Value.Pool).IsShut, out Seen<Giving> wrong) == Certainty.Always)
        {
            string name = Names.OfCall(point.Operation);
            Report(point.Operation, wrong.State.FactsOf(wrong.Value.Pool).CloseSite, null, name, Names.Of(pool));
        }
    }
}
