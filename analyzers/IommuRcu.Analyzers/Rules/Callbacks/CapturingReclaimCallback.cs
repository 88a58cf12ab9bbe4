// IRCU061: a reclaim callback that allocates a closure each time it is queued.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Callbacks;

/// <summary>Reports reclaim callbacks that capture.</summary>
internal sealed class CapturingReclaimCallback : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.CapturingReclaimCallback);

    /// <inheritdoc/>
    public override void Call(FlowPoint point, CallSite call, IReadOnlyList<State> states)
    {
        if (!call.Contracts.ParameterWords.HasFlag(ContractWord.RunsAfterGracePeriod))
        {
            return;
        }

        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (argument.Parameter is { } parameter && MemberContracts.Find(call.Contracts.Parameter(parameter.Ordinal), ContractWord.RunsAfterGracePeriod) is not null
                && Names.Unwrap(argument.Value) is IFlowAnonymousFunctionOperation lambda && TakesState(call.Method))
            {
                IEnumerable<string> captured = point.Body.Member.CapturesOf(lambda.Symbol).Select(static c => "'" + Names.Of(c) + "'");
                string names = string.Join(", ", point.Body.Member.CapturesThis(lambda.Symbol) ? captured.Prepend("'this'") : captured);
                if (names.Length > 0)
                {
                    Report(lambda, null, null, names);
                }
            }
        }
    }

    // Whether the method, or another of its name, has somewhere to put what the callback needs: a delegate with a parameter, and what is passed for it.
    private static bool TakesState(IMethodSymbol method)
        => method.ContainingType.GetMembers(method.Name).OfType<IMethodSymbol>().Any(static m => m.Parameters.Length > 1
            && m.Parameters.Any(static p => p.Type is INamedTypeSymbol { DelegateInvokeMethod.Parameters.Length: > 0 } or IFunctionPointerTypeSymbol));
}
