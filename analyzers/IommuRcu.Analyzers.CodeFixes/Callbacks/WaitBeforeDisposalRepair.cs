// Waits for the queued callbacks before what they need is disposed: by a call, or where a using ends.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Inserts the domain's barrier before the disposal.</summary>
internal sealed class WaitBeforeDisposalRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.WaitBefore";

    /// <inheritdoc/>
    public override string Title(Finding finding) =>
        $"Call '{Blocks.Shown(finding.Property(DiagnosticProperties.WaitExpression)!)}' before";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        finding.Property(DiagnosticProperties.WaitExpression) is string wait
        && PlaceOf(finding.Node) is (SyntaxNode owner, int index)
        && finding.TypeAt(wait, PositionOf(owner, index)) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (PlaceOf(node) is not (SyntaxNode owner, int index))
        {
            return root;
        }

        StatementSyntax wait = SyntaxFactory.ExpressionStatement(Blocks.Expression(finding.Property(DiagnosticProperties.WaitExpression)!))
            .WithAdditionalAnnotations(Formatter.Annotation);
        IReadOnlyList<StatementSyntax> list = StatementRange.ListOf(owner);
        if (index == list.Count)
        {
            return owner is BlockSyntax block ? root.ReplaceNode(block, block.AddStatements(wait)) : root;
        }

        return list[index].WithoutTrivia().IsEquivalentTo(wait) || (index > 0 && list[index - 1].ToString() == wait.ToString())
            ? root
            : Blocks.Replace(
                root,
                new StatementRange(owner, index, index),
                [wait, Blocks.WithoutComments(list[index]).WithAdditionalAnnotations(Formatter.Annotation)]);
    }

    private static int PositionOf(SyntaxNode owner, int index) =>
        index < StatementRange.ListOf(owner).Count ? StatementRange.ListOf(owner)[index].SpanStart : owner.Span.End - 1;

    // The statement that the wait goes before, as an index into its list; behind the last where a using ends.
    private static (SyntaxNode Owner, int Index)? PlaceOf(SyntaxNode node)
    {
        StatementSyntax? statement = node.FirstAncestorOrSelf<StatementSyntax>();
        switch (statement)
        {
            case ExpressionStatementSyntax when StatementRange.OwnerOf(statement) is SyntaxNode owner:
                return (owner, StatementRange.At(owner, statement).First);
            case UsingStatementSyntax { Statement: BlockSyntax block }:
                return EndOf(block, 0);
            case LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0, Parent: BlockSyntax block }:
                return EndOf(block, StatementRange.At(block, statement).First + 1);
            default:
                return null;
        }
    }

    // Only one way may lead out of the using: its end, or a return that stands there.
    private static (SyntaxNode Owner, int Index)? EndOf(BlockSyntax block, int from)
    {
        List<StatementSyntax> list = [.. block.Statements];
        int end = list.Count > from && list[list.Count - 1] is ReturnStatementSyntax { Expression: null or IdentifierNameSyntax or LiteralExpressionSyntax }
            ? list.Count - 1
            : list.Count;
        bool leaves = list.Skip(from).Take(end - from)
            .SelectMany(static each => each.DescendantNodesAndSelf(static node => !StatementRange.IsNestedFunction(node)))
            .Any(static each => each is ReturnStatementSyntax or GotoStatementSyntax or BreakStatementSyntax or ContinueStatementSyntax
                or YieldStatementSyntax or ThrowStatementSyntax);
        return leaves ? null : (block, end);
    }
}
