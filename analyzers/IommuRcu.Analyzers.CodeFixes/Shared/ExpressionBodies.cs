// Turns expression bodies into blocks, so that a statement can be put around the expression.
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Finds and replaces expression bodies.</summary>
internal static class ExpressionBodies
{
    /// <summary>Finds the member or lambda whose body is the expression that holds the node; null if statements are between.</summary>
    public static SyntaxNode? OwnerOf(SyntaxNode node)
    {
        for (SyntaxNode? current = node; current is not null; current = current.Parent)
        {
            switch (current)
            {
                case StatementSyntax:
                    return null;
                case ArrowExpressionClauseSyntax arrow:
                    return arrow.Parent is BaseMethodDeclarationSyntax or LocalFunctionStatementSyntax or AccessorDeclarationSyntax
                        or PropertyDeclarationSyntax or IndexerDeclarationSyntax ? arrow.Parent : null;
                case LambdaExpressionSyntax { ExpressionBody: ExpressionSyntax body } lambda when body.Span.Contains(node.Span):
                    return lambda;
            }
        }

        return null;
    }

    /// <summary>Gets the expression of an expression body.</summary>
    public static ExpressionSyntax? BodyOf(SyntaxNode owner) => owner switch
    {
        BaseMethodDeclarationSyntax method => method.ExpressionBody?.Expression,
        LocalFunctionStatementSyntax function => function.ExpressionBody?.Expression,
        AccessorDeclarationSyntax accessor => accessor.ExpressionBody?.Expression,
        PropertyDeclarationSyntax property => property.ExpressionBody?.Expression,
        IndexerDeclarationSyntax indexer => indexer.ExpressionBody?.Expression,
        LambdaExpressionSyntax lambda => lambda.ExpressionBody,
        _ => null,
    };

    /// <summary>Says whether a block can take the expression's place: it gives a value, by value, and is no tree of expressions.</summary>
    public static bool CanBeBlock(SyntaxNode owner, SemanticModel model)
    {
        if (BodyOf(owner) is null or ThrowExpressionSyntax or RefExpressionSyntax)
        {
            return false;
        }

        ISymbol? symbol = owner is LambdaExpressionSyntax ? model.GetSymbolInfo(owner).Symbol : model.GetDeclaredSymbol(owner);
        return symbol is IMethodSymbol { RefKind: RefKind.None } or IPropertySymbol { RefKind: RefKind.None }
            && !(owner is LambdaExpressionSyntax
                && model.GetTypeInfo(owner).ConvertedType?.OriginalDefinition is INamedTypeSymbol { Name: "Expression", Arity: 1 });
    }

    /// <summary>Says whether the expression is evaluated for its effect alone, so that no return goes before it.</summary>
    public static bool IsVoid(SyntaxNode owner, SemanticModel model, CancellationToken cancellationToken = default)
    {
        switch (owner)
        {
            case PropertyDeclarationSyntax or IndexerDeclarationSyntax:
                return false;
            case AccessorDeclarationSyntax accessor:
                return !accessor.IsKind(SyntaxKind.GetAccessorDeclaration);
        }

        IMethodSymbol? method = owner is LambdaExpressionSyntax
            ? model.GetSymbolInfo(owner, cancellationToken).Symbol as IMethodSymbol
            : model.GetDeclaredSymbol(owner, cancellationToken) as IMethodSymbol;
        return method is not null
            && (method.ReturnsVoid
                || method.MethodKind == MethodKind.Constructor
                || (method.IsAsync && method.ReturnType is INamedTypeSymbol { Arity: 0 }));
    }

    /// <summary>Gives the owner a block body.</summary>
    public static SyntaxNode WithBlock(SyntaxNode owner, BlockSyntax block)
    {
        // Comments behind the arrow and the semicolon stay.
        SyntaxTriviaList behindArrow = (owner is LambdaExpressionSyntax anonymous
            ? anonymous.ArrowToken
            : owner.ChildNodes().OfType<ArrowExpressionClauseSyntax>().Single().ArrowToken).TrailingTrivia;
        if (Comments.IsIn(behindArrow))
        {
            block = block.WithStatements(block.Statements.Replace(
                block.Statements[0], Comments.Before(block.Statements[0], Comments.Lines(behindArrow))));
        }

        block = block.WithAdditionalAnnotations(Formatter.Annotation);
        if (owner is not LambdaExpressionSyntax && Comments.IsIn(owner.GetTrailingTrivia()))
        {
            block = block.WithTrailingTrivia(owner.GetTrailingTrivia());
        }

        SyntaxToken none = default;
        AccessorListSyntax Getter() => SyntaxFactory.AccessorList(SyntaxFactory.SingletonList(
            SyntaxFactory.AccessorDeclaration(SyntaxKind.GetAccessorDeclaration, block)));
        SyntaxNode changed = owner switch
        {
            MethodDeclarationSyntax method => method.WithExpressionBody(null).WithSemicolonToken(none).WithBody(block),
            ConstructorDeclarationSyntax method => method.WithExpressionBody(null).WithSemicolonToken(none).WithBody(block),
            OperatorDeclarationSyntax method => method.WithExpressionBody(null).WithSemicolonToken(none).WithBody(block),
            ConversionOperatorDeclarationSyntax method => method.WithExpressionBody(null).WithSemicolonToken(none).WithBody(block),
            DestructorDeclarationSyntax method => method.WithExpressionBody(null).WithSemicolonToken(none).WithBody(block),
            LocalFunctionStatementSyntax function => function.WithExpressionBody(null).WithSemicolonToken(none).WithBody(block),
            AccessorDeclarationSyntax accessor => accessor.WithExpressionBody(null).WithSemicolonToken(none).WithBody(block),
            PropertyDeclarationSyntax property => property.WithExpressionBody(null).WithSemicolonToken(none).WithAccessorList(Getter()),
            IndexerDeclarationSyntax indexer => indexer.WithExpressionBody(null).WithSemicolonToken(none).WithAccessorList(Getter()),
            ParenthesizedLambdaExpressionSyntax lambda => lambda.WithExpressionBody(null).WithBlock(block),
            SimpleLambdaExpressionSyntax lambda => lambda.WithExpressionBody(null).WithBlock(block),
            _ => owner,
        };
        return changed.WithAdditionalAnnotations(Formatter.Annotation);
    }
}
