// Comments of code that a repair takes away, moves or wraps: they stay, in their order.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Finds and keeps comments.</summary>
internal static class Comments
{
    /// <summary>Says whether trivia are more than blanks.</summary>
    public static bool IsIn(SyntaxTriviaList trivia) => trivia.Any(IsMeant);

    /// <summary>Gets the comments at both ends of a node, a line each.</summary>
    public static SyntaxTriviaList Around(SyntaxNode node) => Lines(node.GetLeadingTrivia().Concat(node.GetTrailingTrivia()));

    /// <summary>Gets the comments among trivia, a line each.</summary>
    public static SyntaxTriviaList Lines(IEnumerable<SyntaxTrivia> trivia) => SyntaxFactory.TriviaList(
        trivia.Where(IsMeant).SelectMany(static each => new[] { each, SyntaxFactory.ElasticCarriageReturnLineFeed }));

    /// <summary>Puts comments before a statement.</summary>
    public static StatementSyntax Before(StatementSyntax statement, SyntaxTriviaList comments) => comments.Count == 0
        ? statement
        : statement.WithLeadingTrivia(comments.AddRange(statement.GetLeadingTrivia())).WithAdditionalAnnotations(Formatter.Annotation);

    /// <summary>Gets what stands before a statement that is put in its place: comments, or what the formatter makes of it.</summary>
    public static SyntaxTriviaList Leading(StatementSyntax statement) =>
        IsIn(statement.GetLeadingTrivia()) ? statement.GetLeadingTrivia() : SyntaxFactory.TriviaList(SyntaxFactory.ElasticMarker);

    /// <summary>Puts comments behind a statement.</summary>
    public static StatementSyntax After(StatementSyntax statement, SyntaxTriviaList comments) => comments.Count == 0
        ? statement
        : statement.WithTrailingTrivia(statement.GetTrailingTrivia().AddRange(comments)).WithAdditionalAnnotations(Formatter.Annotation);

    /// <summary>Takes the blank lines before a statement, which comes first in its block now.</summary>
    public static StatementSyntax WithoutBlankLines(StatementSyntax statement)
    {
        SyntaxTriviaList leading = statement.GetLeadingTrivia();
        int kept = 0;
        for (int i = 0; i < leading.Count && !IsMeant(leading[i]); i++)
        {
            if (leading[i].IsKind(SyntaxKind.EndOfLineTrivia))
            {
                kept = i + 1;
            }
        }

        return kept == 0 ? statement : statement.WithLeadingTrivia(leading.Skip(kept));
    }

    private static bool IsMeant(SyntaxTrivia trivia) =>
        !trivia.IsKind(SyntaxKind.WhitespaceTrivia) && !trivia.IsKind(SyntaxKind.EndOfLineTrivia);
}
