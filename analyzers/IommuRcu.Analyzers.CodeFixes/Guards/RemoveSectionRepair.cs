// Removes a section that protects nothing more; what stands in it stays, in the section around it.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Rules.Guards;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Removes an empty section, or one directly inside another, where nobody asks its guard for anything.</summary>
internal sealed class RemoveSectionRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.RemoveSection";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Remove the section";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        RedundantSection.SectionOf(finding.Node) is StatementSyntax section && !IsGuardUsed(section) && !IsCommentedInside(section);

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding) => RedundantSection.SectionOf(node) switch
    {
        UsingStatementSyntax section when !RedundantSection.IsEmpty(section) => Unwrap(root, section),
        StatementSyntax section => RemoveStatementRepair.Remove(root, section),
        _ => root,
    };

    private static SyntaxNode Unwrap(SyntaxNode root, UsingStatementSyntax section)
    {
        if (section is { Statement: BlockSyntax inner, Parent: BlockSyntax { Statements.Count: 1 } outer })
        {
            // The only one in its block: no name in it can be another's.
            List<StatementSyntax> statements = [.. inner.Statements];
            int last = statements.Count - 1;
            statements[last] = Comments.After(statements[last], Comments.Lines(inner.CloseBraceToken.LeadingTrivia));
            statements = [.. statements.Select(static each => each.WithAdditionalAnnotations(Formatter.Annotation))];
            return Blocks.Replace(root, StatementRange.At(outer, section), statements);
        }

        SyntaxTriviaList comments = section.GetLeadingTrivia().AddRange(Comments.Lines(section.Statement.GetLeadingTrivia()));
        return root.ReplaceNode(section, section.Statement.WithLeadingTrivia(comments).WithAdditionalAnnotations(Formatter.Annotation));
    }

    private static bool IsGuardUsed(StatementSyntax section)
    {
        (VariableDeclarationSyntax? guards, SyntaxNode? users) = section switch
        {
            UsingStatementSyntax statement => (statement.Declaration, (SyntaxNode?)statement.Statement),
            LocalDeclarationStatementSyntax declaration => (declaration.Declaration, declaration.Parent),
            _ => (null, null),
        };
        return guards is not null
            && (guards.Variables.Count != 1 || users is null || StatementRange.Mentions(users, [guards.Variables[0].Identifier.ValueText]));
    }

    // What is said of the section itself is for a person to keep or to drop.
    private static bool IsCommentedInside(StatementSyntax section)
    {
        SyntaxNode? kept = RedundantSection.IsEmpty(section) || section is not UsingStatementSyntax { Statement: var inside } ? null
            : inside is BlockSyntax block ? block.Statements[0]
            : inside;
        SyntaxToken last = kept?.GetFirstToken() ?? section.GetLastToken();
        SyntaxToken first = section.GetFirstToken();
        for (SyntaxToken token = first; token != last; token = token.GetNextToken())
        {
            if ((token != first && Comments.IsIn(token.LeadingTrivia)) || Comments.IsIn(token.TrailingTrivia))
            {
                return true;
            }
        }

        return kept is null && last != first && Comments.IsIn(last.LeadingTrivia);
    }
}
