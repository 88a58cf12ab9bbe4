// The control-flow graphs of one member and of the functions nested in it: made once, however often they are gone through.
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A function nested in a member, as it stands in the source.</summary>
/// <param name="Symbol">The function.</param>
/// <param name="Graph">Its own graph.</param>
/// <param name="Role">How it comes to run.</param>
/// <param name="Number">Its number in the member; keeps the names of its blocks apart from the others'.</param>
internal sealed record FunctionGraph(IMethodSymbol Symbol, ControlFlowGraph Graph, BodyRole Role, int Number);

/// <summary>The graphs of one member. Not safe for several threads.</summary>
internal sealed class MemberGraphs
{
    private readonly List<FunctionGraph> _nested = new();
    private readonly Dictionary<ISymbol, FunctionGraph> _bySymbol = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<ISymbol, IMethodSymbol> _lambdaLocals = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<ISymbol, IMethodSymbol> _delegates = new(SymbolEqualityComparer.Default);
    private readonly ContractMap _map;
    private readonly CancellationToken _cancellation;
    private readonly IOperation _root;
    private FunctionUses? _uses;

    public MemberGraphs(ContractMap map, IOperation root, CancellationToken cancellation)
    {
        _map = map;
        _cancellation = cancellation;
        Model = root.SemanticModel;
        _root = root;
        Graph = CreateGraph(root, cancellation);
        Register(Graph);
    }

    /// <summary>Gets the semantic model of the member's file; the operations of a control-flow graph have none.</summary>
    public SemanticModel? Model { get; }

    /// <summary>Gets the graph of the member itself.</summary>
    public ControlFlowGraph Graph { get; }

    /// <summary>Gets how the nested functions are used; looked for only where there are any.</summary>
    public FunctionUses Uses => _uses ??= new FunctionUses(_root);

    /// <summary>Gets the nested functions, outer ones first.</summary>
    public IReadOnlyList<FunctionGraph> Nested => _nested;

    /// <summary>Gets the number of blocks of the largest graph.</summary>
    public int Largest => System.Math.Max(Graph.Blocks.Length, _nested.Select(static n => n.Graph.Blocks.Length).DefaultIfEmpty().Max());

    /// <summary>Finds a nested function.</summary>
    /// <param name="symbol">The function.</param>
    /// <returns>The function, or none.</returns>
    public FunctionGraph? Find(ISymbol symbol) => _bySymbol.TryGetValue(symbol, out FunctionGraph? nested) ? nested : null;

    /// <summary>Finds the lambda that a local holds, where every use of the local calls it.</summary>
    /// <param name="local">The local.</param>
    /// <returns>The lambda, or none.</returns>
    public IMethodSymbol? LambdaOf(ILocalSymbol local) => _lambdaLocals.TryGetValue(local, out IMethodSymbol? lambda) ? lambda : null;

    /// <summary>Gets the contracts of the member or a function in it; a lambda has those of the delegate that it becomes as well.</summary>
    /// <param name="method">The function.</param>
    /// <returns>Its contracts.</returns>
    public MemberContracts ContractsOf(IMethodSymbol method)
        => _delegates.TryGetValue(method, out IMethodSymbol? invoke) ? _map.Of(method).With(_map.Of(invoke)) : _map.Of(method);

    private static ControlFlowGraph CreateGraph(IOperation root, CancellationToken cancellation) => root switch
    {
        IMethodBodyOperation method => ControlFlowGraph.Create(method, cancellation),
        IConstructorBodyOperation constructor => ControlFlowGraph.Create(constructor, cancellation),
        IFieldInitializerOperation field => ControlFlowGraph.Create(field, cancellation),
        IPropertyInitializerOperation property => ControlFlowGraph.Create(property, cancellation),
        IParameterInitializerOperation parameter => ControlFlowGraph.Create(parameter, cancellation),
        IBlockOperation block => ControlFlowGraph.Create(block, cancellation),
        _ => throw new GiveUpException("its kind of body is not known"),
    };

    private void Register(ControlFlowGraph graph)
    {
        foreach (IMethodSymbol local in graph.LocalFunctions)
        {
            ControlFlowGraph inner = graph.GetLocalFunctionControlFlowGraph(local, _cancellation);
            Add(local, inner, _map.Of(local).IsEmpty ? Uses.RoleOf(local, _map) : BodyRole.Ordinary);
            Register(inner);
        }

        foreach (BasicBlock block in graph.Blocks)
        {
            foreach (IOperation operation in block.Operations)
            {
                RegisterLambdas(operation, graph);
            }

            if (block.BranchValue is { } value)
            {
                RegisterLambdas(value, graph);
            }
        }
    }

    private void RegisterLambdas(IOperation operation, ControlFlowGraph graph)
    {
        if (operation is IFlowAnonymousFunctionOperation lambda)
        {
            ControlFlowGraph inner = graph.GetAnonymousFunctionControlFlowGraph(lambda, _cancellation);
            ILocalSymbol? local = Uses.LocalOf(lambda);
            if (Uses.DelegateOf(lambda) is { } invoke && !_map.Of(invoke).IsEmpty)
            {
                _delegates[lambda.Symbol] = invoke;
            }

            Add(lambda.Symbol, inner, local is not null ? BodyRole.Helper : Uses.RoleOf(lambda, _map));
            if (local is not null)
            {
                _lambdaLocals[local] = lambda.Symbol;
            }

            Register(inner);
        }

        foreach (IOperation child in operation.ChildOperations)
        {
            RegisterLambdas(child, graph);
        }
    }

    private void Add(IMethodSymbol symbol, ControlFlowGraph graph, BodyRole role)
    {
        var nested = new FunctionGraph(symbol, graph, role, _nested.Count + 1);
        _nested.Add(nested);
        _bySymbol[symbol] = nested;
    }
}
