// IRCU030: a guard that nobody holds.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports guards that are discarded where they are made.</summary>
internal sealed class GuardDiscarded : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.GuardDiscarded);

    /// <inheritdoc/>
    public override void Call(FlowPoint point, CallSite call, IReadOnlyList<State> states)
    {
        if (call.Operation is IInvocationOperation && point.Body.Map.Scope(call.Method.ReturnType) is not null && Discards.IsDiscarded(call.Operation))
        {
            Report(call.Operation, null, ImmutableDictionary<string, string?>.Empty, call.Name);
        }
    }
}
