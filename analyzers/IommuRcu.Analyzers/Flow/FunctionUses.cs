// How the nested functions of a member are used: called in sight, handed to whom, and what they capture.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>The uses of local functions and lambdas in one member.</summary>
internal sealed class FunctionUses
{
    private readonly HashSet<ISymbol> _called = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<ISymbol, List<IMethodReferenceOperation>> _references = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<SyntaxNode, IAnonymousFunctionOperation> _lambdas = new();
    private readonly Dictionary<ISymbol, IAnonymousFunctionOperation> _lambdaLocals = new(SymbolEqualityComparer.Default);
    private readonly HashSet<ISymbol> _otherUses = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<ISymbol, IOperation> _bodies = new(SymbolEqualityComparer.Default);

    public FunctionUses(IOperation root) => Visit(root);

    /// <summary>Finds the local that a lambda is held by, where every use of the local calls it.</summary>
    /// <param name="lambda">The lambda.</param>
    /// <returns>The local, or none.</returns>
    public ILocalSymbol? LocalOf(IFlowAnonymousFunctionOperation lambda)
    {
        foreach (KeyValuePair<ISymbol, IAnonymousFunctionOperation> held in _lambdaLocals)
        {
            if (ReferenceEquals(held.Value.Syntax, lambda.Syntax))
            {
                return _called.Contains(held.Key) && !_otherUses.Contains(held.Key) ? (ILocalSymbol)held.Key : null;
            }
        }

        return null;
    }

    /// <summary>Tells how a local function without a contract comes to run.</summary>
    /// <param name="function">The function.</param>
    /// <param name="map">The contracts.</param>
    /// <returns>Its role.</returns>
    public BodyRole RoleOf(IMethodSymbol function, ContractMap map)
    {
        if (!_references.TryGetValue(function, out List<IMethodReferenceOperation>? references))
        {
            return _called.Contains(function) ? BodyRole.Helper : BodyRole.Ordinary;
        }

        return !_called.Contains(function) && references.All(r => RoleOfDelegate(r, map) == BodyRole.Callback) ? BodyRole.Callback : BodyRole.Ordinary;
    }

    /// <summary>Tells how a lambda comes to run.</summary>
    /// <param name="lambda">The lambda.</param>
    /// <param name="map">The contracts.</param>
    /// <returns>Its role.</returns>
    public BodyRole RoleOf(IFlowAnonymousFunctionOperation lambda, ContractMap map)
        => _lambdas.TryGetValue(lambda.Syntax, out IAnonymousFunctionOperation? original) ? RoleOfDelegate(original, map) : BodyRole.Ordinary;

    /// <summary>Tells how a delegate comes to run, by what takes it.</summary>
    /// <param name="operation">The lambda or method group.</param>
    /// <param name="map">The contracts.</param>
    /// <returns>Its role.</returns>
    public static BodyRole RoleOfDelegate(IOperation operation, ContractMap map)
    {
        IOperation? parent = operation.Parent;
        while (parent is IDelegateCreationOperation or IConversionOperation or IParenthesizedOperation or IAddressOfOperation)
        {
            parent = parent.Parent;
        }

        if (parent is not IArgumentOperation { Parameter: { } parameter } || parameter.ContainingSymbol is not IMethodSymbol method)
        {
            return BodyRole.Ordinary;
        }

        foreach (Contract contract in map.Of(method).Parameter(parameter.Ordinal))
        {
            if (contract.Word == ContractWord.RunsAfterGracePeriod)
            {
                return BodyRole.Callback;
            }

            if (contract.Word == ContractWord.RunsSynchronously)
            {
                return BodyRole.Synchronous;
            }
        }

        return KnownMembers.RunsSynchronously(method) ? BodyRole.Synchronous : BodyRole.Ordinary;
    }

    /// <summary>Lists what a lambda captures, one reference each.</summary>
    /// <param name="lambda">The lambda.</param>
    /// <returns>References to the captured locals and parameters.</returns>
    public IReadOnlyList<IOperation> CapturesOf(IFlowAnonymousFunctionOperation lambda)
    {
        var captures = new List<IOperation>();
        if (!_lambdas.TryGetValue(lambda.Syntax, out IAnonymousFunctionOperation? original))
        {
            return captures;
        }

        var seen = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        foreach (IOperation operation in original.Body.Descendants())
        {
            ISymbol? symbol = operation switch
            {
                ILocalReferenceOperation local => local.Local,
                IParameterReferenceOperation parameter => parameter.Parameter,
                _ => null,
            };
            if (symbol is not null && !original.Syntax.Span.Contains(symbol.Locations.FirstOrDefault()?.SourceSpan ?? default) && seen.Add(symbol))
            {
                captures.Add(operation);
            }
        }

        return captures;
    }

    /// <summary>Lists the fields of the object itself, and static ones, that a lambda uses.</summary>
    /// <param name="lambda">The lambda.</param>
    /// <returns>References to them.</returns>
    public IReadOnlyList<IFieldReferenceOperation> FieldsOf(IFlowAnonymousFunctionOperation lambda)
        => _lambdas.TryGetValue(lambda.Syntax, out IAnonymousFunctionOperation? original)
            ? original.Body.Descendants().OfType<IFieldReferenceOperation>().Where(static f => f.Instance is null or IInstanceReferenceOperation).ToList()
            : new List<IFieldReferenceOperation>();

    /// <summary>Lists the variables of the functions around it that a local function or lambda writes.</summary>
    /// <param name="function">The function.</param>
    /// <returns>Locals and parameters.</returns>
    public IReadOnlyList<ISymbol> WritesOf(IMethodSymbol function)
    {
        var written = new List<ISymbol>();
        if (!_bodies.TryGetValue(function, out IOperation? body))
        {
            return written;
        }

        foreach (IOperation operation in body.Descendants())
        {
            IOperation? target = operation switch
            {
                IAssignmentOperation assignment => assignment.Target,
                IIncrementOrDecrementOperation increment => increment.Target,
                IArgumentOperation { Parameter.RefKind: RefKind.Ref or RefKind.Out } argument => argument.Value,
                _ => null,
            };
            ISymbol? symbol = target switch
            {
                ILocalReferenceOperation local => local.Local,
                IParameterReferenceOperation parameter => parameter.Parameter,
                _ => null,
            };
            if (symbol is not null && !body.Syntax.Span.Contains(symbol.Locations.FirstOrDefault()?.SourceSpan ?? default) && !written.Contains(symbol, SymbolEqualityComparer.Default))
            {
                written.Add(symbol);
            }
        }

        return written;
    }

    private void Visit(IOperation root)
    {
        foreach (IOperation operation in root.DescendantsAndSelf())
        {
            switch (operation)
            {
                case IInvocationOperation { TargetMethod.MethodKind: MethodKind.LocalFunction } call:
                    _called.Add(call.TargetMethod.OriginalDefinition);
                    break;
                case IInvocationOperation { TargetMethod.MethodKind: MethodKind.DelegateInvoke, Instance: ILocalReferenceOperation { Local: { } invoked } }:
                    _called.Add(invoked);
                    break;
                case IMethodReferenceOperation { Method.MethodKind: MethodKind.LocalFunction } reference:
                    if (!_references.TryGetValue(reference.Method.OriginalDefinition, out List<IMethodReferenceOperation>? list))
                    {
                        _references.Add(reference.Method.OriginalDefinition, list = new List<IMethodReferenceOperation>());
                    }

                    list.Add(reference);
                    break;
                case IAnonymousFunctionOperation lambda:
                    _lambdas[lambda.Syntax] = lambda;
                    _bodies[lambda.Symbol] = lambda;
                    break;
                case ILocalFunctionOperation function:
                    _bodies[function.Symbol] = function;
                    break;
                case IVariableDeclaratorOperation { Initializer.Value: { } value } declarator when Names.Unwrap(value) is IAnonymousFunctionOperation held:
                    _lambdaLocals[declarator.Symbol] = held;
                    break;
                case ILocalReferenceOperation local when local.Parent is not IInvocationOperation { TargetMethod.MethodKind: MethodKind.DelegateInvoke } parent || !ReferenceEquals(parent.Instance, local):
                    _otherUses.Add(local.Local);
                    break;
            }
        }
    }
}
