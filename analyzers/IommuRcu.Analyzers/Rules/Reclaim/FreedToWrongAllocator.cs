// IRCU048: a page that goes back to another allocator than the one it came from.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Reclaim;

/// <summary>Reports pages that are freed or retired through an allocator that did not make them.</summary>
internal sealed class FreedToWrongAllocator : Rule
{
    private Dictionary<IFieldSymbol, bool> _own = null!;

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.FreedToWrongAllocator);

    /// <inheritdoc/>
    protected override void Begin() => _own = new Dictionary<IFieldSymbol, bool>(SymbolEqualityComparer.Default);

    /// <inheritdoc/>
    public override void Give(FlowPoint point, ContractWord word, IOperation value, IOperation pool, IReadOnlyList<Seen<Giving>> seen)
    {
        if (word is ContractWord.Frees or ContractWord.Retires && Verdict.Of(point, seen, IsWrong, out Seen<Giving> wrong) >= Certainty.Definite)
        {
            ValueTable table = point.Body.Table;
            int from = wrong.State.FactsOf(wrong.Value.Page).Allocator;
            Report(point.Operation, table.Info(from).Tag as IOperation, null, Names.Of(value), NameOf(from, table) ?? NameOf(table.Info(from)), Names.Of(pool));
        }
    }

    private static string NameOf(ValueInfo made)
        => (made.Tag as IOperation)?.Syntax.Parent?.Parent is VariableDeclaratorSyntax declarator ? declarator.Identifier.Text : "another";

    private bool IsWrong(Seen<Giving> seen)
    {
        ValueTable table = seen.State.Table;
        if (seen.State.FactsOf(seen.Value.Page) is not { Holder: Holder.None, Allocator: var from } || from == seen.Value.Pool)
        {
            return false;
        }

        return MadeAs(from, table) is { } one && MadeAs(seen.Value.Pool, table) is { } other && SymbolEqualityComparer.Default.Equals(one.Type, other.Type) && !one.Equals(other);
    }

    // An object that is known by where it was made: two of these, made at two places, are two objects.
    private (object Place, ITypeSymbol Type)? MadeAs(int value, ValueTable table)
        => table.Info(value) switch
        {
            { Kind: ValueKind.Site, Tag: IObjectCreationOperation { Type.IsReferenceType: true } creation } => (creation.Syntax, creation.Type),
            { Kind: ValueKind.Initial, A: var slot } when table.SlotInfo(slot).Symbol is IFieldSymbol { IsReadOnly: true, Type.IsReferenceType: true } field && IsOwn(field) => (field.Name, field.Type),
            _ => null,
        };

    // The field has an object of its own, made by its initializer, and no constructor gives it another.
    private bool IsOwn(IFieldSymbol field)
    {
        if (!_own.TryGetValue(field, out bool own))
        {
            own = field.DeclaringSyntaxReferences is { Length: 1 } declared && declared[0].GetSyntax() is VariableDeclaratorSyntax { Initializer.Value: BaseObjectCreationExpressionSyntax made }
                && (made is not ObjectCreationExpressionSyntax { Type: var type } || ((type as QualifiedNameSyntax)?.Right ?? type) is SimpleNameSyntax { Identifier.ValueText: var name } && name == field.Type.Name) && !IsWritten(field);
            _own.Add(field, own);
        }

        return own;
    }

    private static bool IsWritten(IFieldSymbol field)
        => field.ContainingType.DeclaringSyntaxReferences.Any(r => r.GetSyntax().DescendantNodes().Any(n => n switch
        {
            AssignmentExpressionSyntax assignment => Mentions(assignment.Left, field.Name),
            ArgumentSyntax { RefKindKeyword.RawKind: (int)SyntaxKind.RefKeyword or (int)SyntaxKind.OutKeyword } argument => Mentions(argument.Expression, field.Name),
            _ => false,
        }));

    private static bool Mentions(ExpressionSyntax written, string name) => written.DescendantNodesAndSelf().OfType<IdentifierNameSyntax>().Any(i => i.Identifier.ValueText == name);
}
