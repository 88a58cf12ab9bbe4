// Puts a page on the gather in scope instead of freeing it.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Replaces a direct free by <c>gather.Add(page)</c>.</summary>
internal sealed class GatherInsteadRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.GatherInstead";

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Put it on '{ReclaimScope.Of(finding)!.Gather}'";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => ReclaimScope.Of(finding) is { Gather: not null };

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        ReclaimScope scope = ReclaimScope.Of(finding)!;
        ExpressionStatementSyntax statement = node.FirstAncestorOrSelf<ExpressionStatementSyntax>()!;
        ExpressionSyntax add = SyntaxFactory.ParseExpression($"{scope.Gather}.{scope.Method}({scope.Page.WithoutTrivia()})");
        return root.ReplaceNode(
            statement.Expression, add.WithTriviaFrom(statement.Expression).WithAdditionalAnnotations(Formatter.Annotation));
    }
}
