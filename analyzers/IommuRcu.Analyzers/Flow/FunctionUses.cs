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
        // One that is run before the call that takes it returns is as good as called there.
        if (!_references.TryGetValue(function, out List<IMethodReferenceOperation>? references) || references.All(r => RoleOfDelegate(r, map) == BodyRole.Synchronous))
        {
            return _called.Contains(function) || references is not null ? BodyRole.Helper : BodyRole.Ordinary;
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
        IOperation child = AsDelegate(operation);
        IOperation? parent = child.Parent;
        if (parent is IInvocationOperation { TargetMethod.MethodKind: MethodKind.DelegateInvoke } called && ReferenceEquals(called.Instance, child))
        {
            return BodyRole.Synchronous;
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

        return KnownMembers.RunsSynchronously(method) && !(KnownMembers.IsDeferred(method) && Leaves(parent.Parent)) ? BodyRole.Synchronous : BodyRole.Ordinary;
    }

    /// <summary>Gets the type of the delegate that a lambda becomes.</summary>
    /// <param name="lambda">The lambda.</param>
    /// <returns>The delegate's Invoke method, or none.</returns>
    public IMethodSymbol? DelegateOf(IFlowAnonymousFunctionOperation lambda)
    {
        if (!_lambdas.TryGetValue(lambda.Syntax, out IAnonymousFunctionOperation? original))
        {
            return null;
        }

        IOperation? parent = original.Parent;
        while (parent is IConversionOperation or IParenthesizedOperation)
        {
            parent = parent.Parent;
        }

        return parent is IDelegateCreationOperation { Type: INamedTypeSymbol type } ? type.DelegateInvokeMethod : null;
    }

    // The whole expression that makes a delegate or function pointer of a lambda or method group.
    private static IOperation AsDelegate(IOperation operation)
    {
        while (operation.Parent is IDelegateCreationOperation or IConversionOperation or IParenthesizedOperation or IAddressOfOperation)
        {
            operation = operation.Parent;
        }

        return operation;
    }

    // Whether a sequence that is made step by step is given away before it is looked at.
    private static bool Leaves(IOperation? sequence)
    {
        for (IOperation? o = sequence; o is not null; o = o.Parent)
        {
            switch (o.Parent)
            {
                case IReturnOperation:
                    return true;
                case ISimpleAssignmentOperation { Target: IFieldReferenceOperation or IPropertyReferenceOperation or IParameterReferenceOperation }:
                    return true;
                case IArgumentOperation { Parent: IInvocationOperation { TargetMethod: { } taker } } when KnownMembers.IsDeferred(taker):
                case IArgumentOperation or IConversionOperation or IParenthesizedOperation or ITupleOperation or IConditionalOperation or ICoalesceOperation:
                    if (o.Parent is IArgumentOperation { Parent: IInvocationOperation { TargetMethod: { } eater } } && !KnownMembers.IsDeferred(eater))
                    {
                        return false;
                    }

                    break;
                case IInvocationOperation { TargetMethod: { } next } when KnownMembers.IsDeferred(next):
                    break;
                default:
                    return false;
            }
        }

        return false;
    }

    /// <summary>Tells whether a lambda or local function captures the object that it is made in.</summary>
    /// <param name="function">The function.</param>
    /// <returns>Whether it does.</returns>
    public bool CapturesThis(IMethodSymbol function)
        => _bodies.TryGetValue(function, out IOperation? body) && body.Descendants().Any(static o => o is IInstanceReferenceOperation { ReferenceKind: InstanceReferenceKind.ContainingTypeInstance });

    /// <summary>Finds the method that a lambda or local function is handed to.</summary>
    /// <param name="function">The function.</param>
    /// <returns>The method; none where it goes elsewhere, or to several.</returns>
    public IMethodSymbol? TakerOf(IMethodSymbol function)
    {
        IOperation? operation = _lambdas.Values.FirstOrDefault(l => SymbolEqualityComparer.Default.Equals(l.Symbol, function));
        if (operation is null && _references.TryGetValue(function, out List<IMethodReferenceOperation>? references) && references.Count == 1)
        {
            operation = references[0];
        }

        return operation is null ? null : (AsDelegate(operation).Parent as IArgumentOperation)?.Parameter?.ContainingSymbol as IMethodSymbol;
    }

    /// <summary>Lists what a lambda or local function captures, one reference each.</summary>
    /// <param name="function">The function.</param>
    /// <returns>References to the captured locals and parameters.</returns>
    public IReadOnlyList<IOperation> CapturesOf(IMethodSymbol function)
    {
        var captures = new List<IOperation>();
        if (!_bodies.TryGetValue(function, out IOperation? body))
        {
            return captures;
        }

        var seen = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        foreach (IOperation operation in body.Descendants())
        {
            ISymbol? symbol = operation switch
            {
                ILocalReferenceOperation local => local.Local,
                IParameterReferenceOperation parameter => parameter.Parameter,
                _ => null,
            };
            if (symbol is not null && !body.Syntax.Span.Contains(symbol.Locations.FirstOrDefault()?.SourceSpan ?? default) && seen.Add(symbol))
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
                    Hold(declarator.Symbol, held);
                    break;
                case ISimpleAssignmentOperation { Target: ILocalReferenceOperation { Local: { } assigned }, Value: { } value } when Names.Unwrap(value) is IAnonymousFunctionOperation held:
                    Hold(assigned, held);
                    break;
                case ILocalReferenceOperation local when IsCalled(local):
                    _called.Add(local.Local);
                    break;
                case ILocalReferenceOperation local when !IsGivenLambda(local):
                    _otherUses.Add(local.Local);
                    break;
            }
        }
    }

    private void Hold(ILocalSymbol local, IAnonymousFunctionOperation lambda)
    {
        if (_lambdaLocals.ContainsKey(local))
        {
            // One of two lambdas: nobody can tell which is called.
            _otherUses.Add(local);
        }

        _lambdaLocals[local] = lambda;
    }

    private static bool IsGivenLambda(ILocalReferenceOperation local)
        => local.Parent is ISimpleAssignmentOperation { Value: { } value } assignment && ReferenceEquals(assignment.Target, local) && Names.Unwrap(value) is IAnonymousFunctionOperation;

    // f(), f.Invoke() or f?.Invoke()
    private static bool IsCalled(ILocalReferenceOperation local) => local.Parent switch
    {
        IInvocationOperation { TargetMethod.MethodKind: MethodKind.DelegateInvoke } call => ReferenceEquals(call.Instance, local),
        IConditionalAccessOperation { WhenNotNull: IInvocationOperation { TargetMethod.MethodKind: MethodKind.DelegateInvoke, Instance: IConditionalAccessInstanceOperation } } access
            => ReferenceEquals(access.Operation, local),
        _ => false,
    };
}
