// Puts the call that is missing on a line before the statement that relies on it.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Inserts a call before the statement of the finding.</summary>
internal sealed class InsertBeforeRepair(string key, System.Func<Finding, string?> call) : Repair
{
    /// <inheritdoc/>
    public override string Key => key;

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Call '{Shown(call(finding)!)}' before";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => call(finding) is not null && StatementOf(finding.Node) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        StatementSyntax statement = StatementOf(node)!;
        StatementSyntax inserted = SyntaxFactory.ExpressionStatement(Blocks.Expression(call(finding)!))
            .WithAdditionalAnnotations(Formatter.Annotation);
        if (StatementRange.OwnerOf(statement) is not SyntaxNode owner)
        {
            return root.ReplaceNode(statement, Blocks.Block([inserted, statement]).WithAdditionalAnnotations(Formatter.Annotation));
        }

        var range = StatementRange.At(owner, statement);
        return Blocks.Replace(root, range, [inserted, Blocks.WithoutComments(statement).WithAdditionalAnnotations(Formatter.Annotation)]);
    }

    private static string Shown(string text) => text.Replace("global::IommuRcu.", string.Empty).Replace("global::", string.Empty);

    private static StatementSyntax? StatementOf(SyntaxNode node) =>
        node.FirstAncestorOrSelf<StatementSyntax>() is ExpressionStatementSyntax statement ? statement : null;
}
