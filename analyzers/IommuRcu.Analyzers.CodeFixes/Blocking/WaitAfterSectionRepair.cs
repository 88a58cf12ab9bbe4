// Moves the last statement of a section behind it: the wait for a grace period that the section itself would hold up.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Moves a wait that ends a using statement behind it; a section left with nothing in it goes.</summary>
internal sealed class WaitAfterSectionRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.WaitAfterSection";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Move it after the section";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => Find(finding.Node) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (Find(node) is not (StatementSyntax wait, UsingStatementSyntax section))
        {
            return root;
        }

        var body = (BlockSyntax)section.Statement;
        StatementSyntax moved = wait.WithLeadingTrivia(SyntaxFactory.ElasticMarker).WithAdditionalAnnotations(Formatter.Annotation);
        var replacement = new List<StatementSyntax>();
        if (body.Statements.Count > 1)
        {
            replacement.Add(section.WithStatement(body.WithStatements(body.Statements.Remove(body.Statements.Last()))));
        }

        replacement.Add(moved);
        return StatementRange.OwnerOf(section) is SyntaxNode owner
            ? Blocks.Replace(root, StatementRange.At(owner, section), replacement)
            : root.ReplaceNode(section, Blocks.Block(replacement).WithTriviaFrom(section).WithAdditionalAnnotations(Formatter.Annotation));
    }

    // The wait must be the section's last statement: whatever came behind it might rely on either.
    private static (StatementSyntax Wait, UsingStatementSyntax Section)? Find(SyntaxNode node) =>
        node.FirstAncestorOrSelf<StatementSyntax>() is ExpressionStatementSyntax wait
        && wait.Parent is BlockSyntax { Parent: UsingStatementSyntax section } body
        && body.Statements.Last() == wait
        && !DeclaredIn(body).Any(name => StatementRange.Mentions(wait, [name]))
            ? (wait, section)
            : null;

    private static IEnumerable<string> DeclaredIn(BlockSyntax body) => body.DescendantNodes()
        .Select(each => each switch
        {
            VariableDeclaratorSyntax variable => variable.Identifier.ValueText,
            SingleVariableDesignationSyntax variable => variable.Identifier.ValueText,
            _ => null,
        })
        .OfType<string>();
}
