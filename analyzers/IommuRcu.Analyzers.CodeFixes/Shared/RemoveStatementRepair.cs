// Removes the statement that does too much: a second exit, a second free, an assertion that cannot hold.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Removes an expression statement that is wrong on every path, and keeps its comments.</summary>
internal sealed class RemoveStatementRepair(string title, string key) : Repair
{
    /// <inheritdoc/>
    public override string Key => key;

    /// <inheritdoc/>
    public override string Title(Finding finding) => title;

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        finding.Property(DiagnosticProperties.OnEveryPath) is not null && StatementOf(finding.Node) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding) =>
        StatementOf(node) is StatementSyntax statement ? Remove(root, statement) : root;

    /// <summary>Removes a statement from its list, or leaves an empty block where a statement has to stand; its comments stay.</summary>
    public static SyntaxNode Remove(SyntaxNode root, StatementSyntax statement)
    {
        if (StatementRange.OwnerOf(statement) is null)
        {
            return root.ReplaceNode(statement, SyntaxFactory.Block().WithTriviaFrom(statement));
        }

        SyntaxNode removed = statement.Parent is GlobalStatementSyntax global ? global : statement;
        SyntaxTriviaList comments = Comments.IsIn(removed.GetLeadingTrivia()) ? removed.GetLeadingTrivia() : SyntaxTriviaList.Empty;
        comments = comments.AddRange(Comments.Lines(removed.GetTrailingTrivia()));
        if (comments.Count == 0)
        {
            return root.RemoveNode(removed, SyntaxRemoveOptions.KeepNoTrivia)!;
        }

        // They go to whatever comes next, if only the closing brace.
        var mark = new SyntaxAnnotation();
        SyntaxToken next = removed.GetLastToken().GetNextToken(includeZeroWidth: true);
        root = root.ReplaceSyntax(
            [removed],
            (_, _) => removed.WithAdditionalAnnotations(mark),
            [next],
            (_, token) => token.WithLeadingTrivia(comments.AddRange(token.LeadingTrivia)).WithAdditionalAnnotations(Formatter.Annotation),
            [],
            (trivia, _) => trivia);
        return root.RemoveNode(root.GetAnnotatedNodes(mark).Single(), SyntaxRemoveOptions.KeepNoTrivia)!;
    }

    // The finding must be all that the statement does.
    private static ExpressionStatementSyntax? StatementOf(SyntaxNode node)
    {
        var statement = node.FirstAncestorOrSelf<StatementSyntax>() as ExpressionStatementSyntax;
        ExpressionSyntax? done = statement?.Expression;
        done = done is ConditionalAccessExpressionSyntax access ? access.WhenNotNull : done;
        return done is not null && (node == statement || node == statement!.Expression || node == done) ? statement : null;
    }
}
