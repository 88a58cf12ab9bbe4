// A loop over items that are all there before it begins: what it does for one of them, and what belongs to one item alone.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Reclaim;

/// <summary>A loop that does the same for every item: it is left at its end only, and leaves no item out.</summary>
internal sealed class ItemLoop
{
    // Of one item: the variable of the loop, and what is declared in its body.
    private readonly HashSet<ISymbol> _own = new(SymbolEqualityComparer.Default);

    private ItemLoop(ILoopOperation loop)
    {
        Statement = (StatementSyntax)loop.Syntax;
        Body = loop.Body;
        Parts = Inside(loop.Body).ToList();
        _own.UnionWith(loop.Locals);
        _own.UnionWith(Parts.OfType<IVariableDeclaratorOperation>().Select(static d => d.Symbol));
        _own.UnionWith(Parts.OfType<IDeclarationExpressionOperation>().SelectMany(static d => d.DescendantsAndSelf().OfType<ILocalReferenceOperation>()).Select(static r => r.Local));
        _own.UnionWith(Parts.OfType<IDeclarationPatternOperation>().Select(static p => p.DeclaredSymbol).OfType<ILocalSymbol>());
        _own.UnionWith(Parts.OfType<IRecursivePatternOperation>().Select(static p => p.DeclaredSymbol).OfType<ILocalSymbol>());
    }

    /// <summary>Gets the loop.</summary>
    public StatementSyntax Statement { get; }

    /// <summary>Gets what is done for an item.</summary>
    public IOperation Body { get; }

    /// <summary>Gets the operations of the body, without those of functions nested in it.</summary>
    public IReadOnlyList<IOperation> Parts { get; }

    /// <summary>Finds the loop over items that a statement is done in for every item.</summary>
    /// <param name="statement">The statement.</param>
    /// <param name="model">The model of its file.</param>
    /// <returns>The loop; none where there is another kind of loop, or a condition between.</returns>
    public static ItemLoop? Around(StatementSyntax statement, SemanticModel model)
    {
        SyntaxNode node = statement;
        while (node.Parent is BlockSyntax or UsingStatementSyntax or LockStatementSyntax or CheckedStatementSyntax or UnsafeStatementSyntax or FixedStatementSyntax
            or TryStatementSyntax { Catches.Count: 0 })
        {
            node = node.Parent;
        }

        return node.Parent is ForStatementSyntax or CommonForEachStatementSyntax && model.GetOperation(node.Parent) is ILoopOperation loop && IsOverItems(loop)
            && new ItemLoop(loop) is { IsLeftAtItsEnd: true } found ? found : null;
    }

    /// <summary>Tells whether an operation has to do with what belongs to one item alone.</summary>
    /// <param name="operation">The operation.</param>
    /// <returns>Whether it names such a variable.</returns>
    public bool IsOfItem(IOperation? operation)
        => operation is not null && operation.DescendantsAndSelf().Any(o => o is ILocalReferenceOperation { Local: { } local } && _own.Contains(local));

    // Whoever jumps out of an item, or out of the loop, may have a reason to wait that others have not: what is tried until it succeeds, a batch that is full.
    private bool IsLeftAtItsEnd => Parts.All(o => o is not (IReturnOperation or IBranchOperation) || IsInside((o as IBranchOperation)?.Target));

    private bool IsInside(ILabelSymbol? target)
        => target is not null && Parts.Any(o => (o is ILoopOperation loop && (Same(loop.ExitLabel, target) || Same(loop.ContinueLabel, target)))
            || (o is ISwitchOperation choice && Same(choice.ExitLabel, target)));

    private static bool Same(ISymbol one, ISymbol other) => SymbolEqualityComparer.Default.Equals(one, other);

    private static bool IsOverItems(ILoopOperation loop) => loop switch
    {
        IForEachLoopOperation { IsAsynchronous: false, Collection: { } collection } => IsCollection(Names.Unwrap(collection)?.Type),
        IForLoopOperation { Condition: IBinaryOperation condition } counted => CountedBy(counted) is { } counter && Mentions(condition, counter)
            && !(condition.LeftOperand.ConstantValue.HasValue || condition.RightOperand.ConstantValue is { HasValue: true, Value: not null }),
        _ => false,
    };

    // A sequence may take its time from one item to the next; what has a count is there.
    private static bool IsCollection(ITypeSymbol? type)
        => type is IArrayTypeSymbol
            || (type is INamedTypeSymbol { Name: "Span" or "ReadOnlySpan" or "Memory" } named && KnownMembers.IsSystem(named))
            || (type is INamedTypeSymbol && type.AllInterfaces.Append(type).Any(static i => i is { Name: "ICollection" or "IReadOnlyCollection", ContainingNamespace: { Name: "Generic" or "Collections" } }));

    private static ILocalSymbol? CountedBy(IForLoopOperation loop)
        => loop is { Locals: { Length: 1 } locals, AtLoopBottom: { Length: 1 } steps } && (steps[0] as IExpressionStatementOperation)?.Operation switch
        {
            IIncrementOrDecrementOperation step => step.Target,
            ICompoundAssignmentOperation step => step.Target,
            ISimpleAssignmentOperation step when Mentions(step.Value, locals[0]) => step.Target,
            _ => null,
        } is ILocalReferenceOperation { Local: { } counted } && Same(counted, locals[0]) ? counted : null;

    private static bool Mentions(IOperation operation, ILocalSymbol local)
        => operation.DescendantsAndSelf().Any(o => o is ILocalReferenceOperation reference && Same(reference.Local, local));

    private static IEnumerable<IOperation> Inside(IOperation operation)
    {
        yield return operation;
        if (operation is IAnonymousFunctionOperation or ILocalFunctionOperation)
        {
            yield break;
        }

        foreach (IOperation child in operation.ChildOperations)
        {
            foreach (IOperation part in Inside(child))
            {
                yield return part;
            }
        }
    }
}
