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
        if (call.Operation is IInvocationOperation && point.Body.Map.Scope(call.Method.ReturnType) is not null && IsDiscarded(call.Operation))
        {
            Report(call.Operation, null, ImmutableDictionary<string, string?>.Empty, call.Name);
        }
    }

    private static bool IsDiscarded(IOperation operation)
    {
        IOperation? parent = operation.Parent;
        while (parent is IConversionOperation or IParenthesizedOperation or IAwaitOperation)
        {
            parent = parent.Parent;
        }

        return parent is IExpressionStatementOperation || parent is ISimpleAssignmentOperation { Target: IDiscardOperation };
    }
}
