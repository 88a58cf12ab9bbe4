// Calls the method that opens a section where a guard was made up.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Replaces <c>default</c>, <c>new</c> and the like by the opener.</summary>
internal sealed class OpenInsteadOfForgingRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.OpenInsteadOfForging";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Open a section";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        finding.Property(DiagnosticProperties.AcquireExpression) is not null && ExpressionOf(finding.Node) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        ExpressionSyntax forged = ExpressionOf(node)!;
        ExpressionSyntax open = Blocks.Expression(finding.Property(DiagnosticProperties.AcquireExpression)!);
        return root.ReplaceNode(forged, open.WithTriviaFrom(forged));
    }

    private static ExpressionSyntax? ExpressionOf(SyntaxNode node) => node switch
    {
        ArgumentSyntax argument => argument.Expression,
        EqualsValueClauseSyntax clause => clause.Value,
        _ => node as ExpressionSyntax,
    };
}
