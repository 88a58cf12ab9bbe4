// Takes the last statement out of a loop's body and puts it behind the loop.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Moves a wait behind its loop, where the rule has seen that nothing in the loop counts on it.</summary>
internal sealed class WaitBehindLoopRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.WaitBehindLoop";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Wait once, behind the loop";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        finding.Property(DiagnosticProperties.Movable) is not null && LoopOf(finding.Node.FirstAncestorOrSelf<StatementSyntax>()) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (node.FirstAncestorOrSelf<StatementSyntax>() is not StatementSyntax wait
            || LoopOf(wait) is not StatementSyntax loop
            || StatementRange.OwnerOf(loop) is not SyntaxNode owner)
        {
            return root;
        }

        var body = (BlockSyntax)wait.Parent!;
        var rest = (StatementSyntax)loop.ReplaceNode(body, body.WithStatements(body.Statements.RemoveAt(body.Statements.Count - 1)));
        StatementSyntax moved = Comments.WithoutBlankLines(wait).WithAdditionalAnnotations(Formatter.Annotation);
        return Blocks.Replace(
            root,
            StatementRange.At(owner, loop),
            [
                Blocks.WithoutComments(rest).WithAdditionalAnnotations(Formatter.Annotation),
                moved.WithLeadingTrivia(moved.GetLeadingTrivia().Insert(0, Attributes.EndOfLine(owner))),
            ]);
    }

    private static StatementSyntax? LoopOf(StatementSyntax? wait) =>
        wait?.Parent is BlockSyntax { Statements: { Count: > 1 } statements, Parent: StatementSyntax loop }
        && loop is ForStatementSyntax or CommonForEachStatementSyntax
        && statements.Last() == wait && StatementRange.OwnerOf(loop) is not null ? loop : null;
}
