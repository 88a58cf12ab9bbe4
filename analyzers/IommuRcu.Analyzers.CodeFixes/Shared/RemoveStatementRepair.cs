// Removes the statement that does too much: a second exit, a second free, an assertion that cannot hold.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Removes an expression statement and keeps the comments before it.</summary>
internal sealed class RemoveStatementRepair(string title, string key) : Repair
{
    /// <inheritdoc/>
    public override string Key => key;

    /// <inheritdoc/>
    public override string Title(Finding finding) => title;

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => StatementOf(finding.Node) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding) => Remove(root, StatementOf(node)!);

    /// <summary>Removes a statement from its list, or leaves an empty block where a statement has to stand.</summary>
    public static SyntaxNode Remove(SyntaxNode root, StatementSyntax statement)
    {
        if (StatementRange.OwnerOf(statement) is null)
        {
            return root.ReplaceNode(statement, SyntaxFactory.Block().WithTriviaFrom(statement));
        }

        SyntaxNode removed = statement.Parent is GlobalStatementSyntax global ? global : statement;
        bool hasComments = false;
        foreach (SyntaxTrivia trivia in removed.GetLeadingTrivia())
        {
            hasComments |= !trivia.IsKind(SyntaxKind.WhitespaceTrivia) && !trivia.IsKind(SyntaxKind.EndOfLineTrivia);
        }

        return root.RemoveNode(removed, hasComments ? SyntaxRemoveOptions.KeepLeadingTrivia : SyntaxRemoveOptions.KeepNoTrivia)!;
    }

    private static StatementSyntax? StatementOf(SyntaxNode node) =>
        node.FirstAncestorOrSelf<StatementSyntax>() is ExpressionStatementSyntax statement ? statement : null;
}
