// Splits a declaration, so that its local outlives the block that its value is computed in.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Turns <c>var x = Read();</c> into <c>T x;</c> and <c>x = Read();</c>.</summary>
internal static class Hoisting
{
    /// <summary>Gets the type to declare the local with, as it is written; null where the declaration cannot be split.</summary>
    public static string? TypeOf(LocalDeclarationStatementSyntax declaration, SemanticModel model)
    {
        if (declaration is not { UsingKeyword.RawKind: 0, IsConst: false, Declaration: { Variables.Count: 1, Type: not RefTypeSyntax } inner }
            || inner.Variables[0].Initializer is not { Value: not (InitializerExpressionSyntax or StackAllocArrayCreationExpressionSyntax) }
            || model.GetDeclaredSymbol(inner.Variables[0]) is not ILocalSymbol { Type: { IsAnonymousType: false, TypeKind: not TypeKind.Error } type })
        {
            return null;
        }

        // A ref struct would have to be declared scoped or not; it stays where it is.
        return type.IsRefLikeType ? null
            : !inner.Type.IsVar ? inner.Type.ToString()
            : type.WithNullableAnnotation(type.IsReferenceType && model.GetNullableContext(declaration.SpanStart).AnnotationsEnabled()
                ? NullableAnnotation.Annotated : NullableAnnotation.None).ToMinimalDisplayString(
                    model, declaration.SpanStart, SymbolDisplayFormat.MinimallyQualifiedFormat.AddMiscellaneousOptions(
                        SymbolDisplayMiscellaneousOptions.IncludeNullableReferenceTypeModifier));
    }

    /// <summary>Splits a declaration.</summary>
    public static (LocalDeclarationStatementSyntax Declaration, StatementSyntax Assignment) Split(
        LocalDeclarationStatementSyntax declaration, string type)
    {
        VariableDeclaratorSyntax variable = declaration.Declaration.Variables[0];
        LocalDeclarationStatementSyntax before = SyntaxFactory.LocalDeclarationStatement(
            SyntaxFactory.VariableDeclaration(
                SyntaxFactory.ParseTypeName(type),
                SyntaxFactory.SingletonSeparatedList(SyntaxFactory.VariableDeclarator(variable.Identifier.WithoutTrivia()))))
            .WithAdditionalAnnotations(Formatter.Annotation);
        ExpressionStatementSyntax assignment = SyntaxFactory.ExpressionStatement(
            SyntaxFactory.AssignmentExpression(
                SyntaxKind.SimpleAssignmentExpression,
                SyntaxFactory.IdentifierName(variable.Identifier.WithoutTrivia()),
                variable.Initializer!.Value))
            .WithTriviaFrom(declaration)
            .WithAdditionalAnnotations(Formatter.Annotation);
        return (before, assignment);
    }
}
