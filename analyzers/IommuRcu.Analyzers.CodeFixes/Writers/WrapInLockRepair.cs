// Takes the writer lock around an update, and around everything that uses what the update's statement declares.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Wraps an update in <c>lock (_lock)</c>.</summary>
internal sealed class WrapInLockRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.WrapInLock";

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Take '{finding.Property(DiagnosticProperties.Lock)}' around it";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        finding.Property(DiagnosticProperties.Lock) is not null
        && StatementOf(finding.Node) is StatementSyntax statement
        && (StatementRange.OwnerOf(statement) is SyntaxNode owner
            ? !StatementRange.From(owner, statement).Statements.Any(StatementRange.Suspends)
            : !StatementRange.Suspends(statement));

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (node.AncestorsAndSelf().TakeWhile(each =>
            !StatementRange.IsNestedFunction(each)).Any(each => each.HasAnnotation(Blocks.Section)))
        {
            return root;
        }

        ExpressionSyntax gate = Blocks.Expression(finding.Property(DiagnosticProperties.Lock)!);
        StatementSyntax statement = StatementOf(node)!;
        if (StatementRange.OwnerOf(statement) is SyntaxNode owner)
        {
            StatementRange range = StatementRange.From(owner, statement);
            return Blocks.Replace(root, range, [Lock(gate, Blocks.Block(range.Statements))]);
        }

        return root.ReplaceNode(statement, Lock(gate, Blocks.Block([statement])));
    }

    private static LockStatementSyntax Lock(ExpressionSyntax gate, BlockSyntax body) =>
        SyntaxFactory.LockStatement(gate, body).WithAdditionalAnnotations(Formatter.Annotation, Blocks.Section);

    private static StatementSyntax? StatementOf(SyntaxNode node) =>
        ExpressionBodies.OwnerOf(node) is null
            ? node.FirstAncestorOrSelf<StatementSyntax>(statement => statement is not BlockSyntax and not LocalFunctionStatementSyntax)
            : null;
}
