// Members that an operation calls without naming them: enumerators, awaiters, Deconstruct, indexers of patterns, operators.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Finds the members that operations call implicitly.</summary>
internal static class ImplicitMembers
{
    /// <summary>Lists the members that an operation calls without naming them, as far as they can have contracts.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="map">The contracts.</param>
    /// <param name="model">The semantic model of the operation's file.</param>
    /// <returns>Methods; accessors for properties.</returns>
    public static IEnumerable<IMethodSymbol> Of(IOperation operation, ContractMap map, SemanticModel? model)
    {
        switch (operation)
        {
            case IForEachLoopOperation loop when model is not null && CanHave(Names.Unwrap(loop.Collection)?.Type, map) && loop.Syntax is CommonForEachStatementSyntax syntax:
                ForEachStatementInfo info = model.GetForEachStatementInfo(syntax);
                return new[] { info.GetEnumeratorMethod, info.MoveNextMethod, info.CurrentProperty?.GetMethod, info.DisposeMethod }.OfType<IMethodSymbol>();
            case IAwaitOperation await when model is not null && CanHave(await.Operation.Type, map) && await.Syntax is AwaitExpressionSyntax syntax:
                return new[] { model.GetAwaitExpressionInfo(syntax).GetAwaiterMethod, model.GetAwaitExpressionInfo(syntax).GetResultMethod }.OfType<IMethodSymbol>();
            case IDeconstructionAssignmentOperation deconstruction when model is not null && deconstruction.Syntax is AssignmentExpressionSyntax syntax:
                return Methods(model.GetDeconstructionInfo(syntax));
            case IRecursivePatternOperation { DeconstructSymbol: IMethodSymbol deconstruct }:
                return new[] { deconstruct };
            case IListPatternOperation list:
                return new[] { Getter(list.LengthSymbol), Getter(list.IndexerSymbol) }.OfType<IMethodSymbol>();
            case IImplicitIndexerReferenceOperation indexer:
                return new[] { Getter(indexer.LengthSymbol), Getter(indexer.IndexerSymbol) }.OfType<IMethodSymbol>();
            default:
                return Enumerable.Empty<IMethodSymbol>();
        }
    }

    /// <summary>Gets the user's operator or conversion that an operation calls.</summary>
    /// <param name="operation">The operation.</param>
    /// <returns>The method, or none.</returns>
    public static IMethodSymbol? OperatorOf(IOperation operation) => operation switch
    {
        IBinaryOperation binary => binary.OperatorMethod,
        IUnaryOperation unary => unary.OperatorMethod,
        IConversionOperation conversion => conversion.OperatorMethod,
        ICompoundAssignmentOperation compound => compound.OperatorMethod,
        IIncrementOrDecrementOperation increment => increment.OperatorMethod,
        _ => null,
    };

    private static IEnumerable<IMethodSymbol> Methods(DeconstructionInfo info)
        => (info.Method is { } method ? new[] { method } : Enumerable.Empty<IMethodSymbol>()).Concat(info.Nested.SelectMany(Methods));

    private static IMethodSymbol? Getter(ISymbol? symbol) => symbol switch
    {
        IPropertySymbol property => property.GetMethod,
        IMethodSymbol method => method,
        _ => null,
    };

    private static bool CanHave(ITypeSymbol? type, ContractMap map) => type is INamedTypeSymbol named && map.CanHaveContracts(named.ContainingAssembly);
}
