// A property that does nothing but return a field is the same place as the field.
using System.Linq;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Sees through trivial properties.</summary>
internal static class BackingField
{
    private static readonly ConditionalWeakTable<IPropertySymbol, object> _known = new();
    private static readonly object _none = new();

    /// <summary>Gets the member that stands for a place: of a property in sight that only returns a field, the field.</summary>
    /// <param name="member">The member.</param>
    /// <returns>The field, or the member itself.</returns>
    public static ISymbol Of(ISymbol member)
        => member is IPropertySymbol { IsVirtual: false, IsAbstract: false, IsOverride: false, Parameters.IsEmpty: true } property
            && _known.GetValue(property.OriginalDefinition, static p => (object?)Find(p) ?? _none) is IFieldSymbol field
            ? field
            : member;

    private static IFieldSymbol? Find(IPropertySymbol property)
    {
        if (property.DeclaringSyntaxReferences.Length != 1 || property.DeclaringSyntaxReferences[0].GetSyntax() is not PropertyDeclarationSyntax declaration)
        {
            return null;
        }

        AccessorDeclarationSyntax? getter = declaration.AccessorList?.Accessors.FirstOrDefault(static a => a.IsKind(SyntaxKind.GetAccessorDeclaration));
        ExpressionSyntax? returned = declaration.ExpressionBody?.Expression
            ?? getter?.ExpressionBody?.Expression
            ?? (getter?.Body is { Statements: { Count: 1 } statements } && statements[0] is ReturnStatementSyntax only ? only.Expression : null);
        string? name = returned switch
        {
            IdentifierNameSyntax identifier => identifier.Identifier.ValueText,
            MemberAccessExpressionSyntax { Expression: ThisExpressionSyntax, Name: IdentifierNameSyntax identifier } => identifier.Identifier.ValueText,
            _ => null,
        };
        return name is null ? null
            : property.ContainingType.GetMembers(name).FirstOrDefault() is IFieldSymbol { IsConst: false } field && field.IsStatic == property.IsStatic ? field.OriginalDefinition
            : null;
    }
}
