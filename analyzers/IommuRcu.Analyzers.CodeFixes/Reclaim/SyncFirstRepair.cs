// Lets the gather flush before its page is retired; where the gather's sync retires what it holds, that takes the place of the retire.
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Inserts <c>gather.Flush()</c> before a retire, or replaces it by <c>gather.Sync()</c>.</summary>
internal sealed class SyncFirstRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.SyncBefore";

    /// <inheritdoc/>
    public override string Title(Finding finding) => Find(finding) is (string gather, IMethodSymbol sync, true)
        ? $"Let '{gather}.{sync.Name}()' retire it"
        : $"Call '{Find(finding)!.Value.Gather}.{Find(finding)!.Value.Sync.Name}()' before";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => StatementOf(finding.Node) is not null && Find(finding) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (Find(finding) is not (string gather, IMethodSymbol sync, bool retires) || StatementOf(node) is not ExpressionStatementSyntax statement)
        {
            return root;
        }

        ExpressionSyntax call = SyntaxFactory.ParseExpression($"{gather}.{sync.Name}()");
        if (retires)
        {
            return root.ReplaceNode(
                statement.Expression, call.WithTriviaFrom(statement.Expression).WithAdditionalAnnotations(Formatter.Annotation));
        }

        StatementSyntax inserted = SyntaxFactory.ExpressionStatement(call).WithAdditionalAnnotations(Formatter.Annotation);
        StatementSyntax kept = Blocks.WithoutComments(statement).WithAdditionalAnnotations(Formatter.Annotation);
        return StatementRange.OwnerOf(statement) is SyntaxNode owner
            ? Blocks.Replace(root, StatementRange.At(owner, statement), [inserted, kept])
            : root.ReplaceNode(
                statement,
                Blocks.Block([inserted, kept]).WithLeadingTrivia(Comments.Leading(statement)).WithAdditionalAnnotations(Formatter.Annotation));
    }

    private static ExpressionStatementSyntax? StatementOf(SyntaxNode node) =>
        node.FirstAncestorOrSelf<StatementSyntax>() is ExpressionStatementSyntax { Expression: InvocationExpressionSyntax call } statement
        && call.Span.Contains(node.Span) && !node.Ancestors().TakeWhile(each => each != statement).Any(StatementRange.IsNestedFunction)
            ? statement
            : null;

    // The rule points to where the page was put on the gather.
    private static (string Gather, IMethodSymbol Sync, bool Retires)? Find(Finding finding)
    {
        if (finding.Contracts is not ContractMap map
            || finding.Related()?.FirstAncestorOrSelf<InvocationExpressionSyntax>() is not { Expression: MemberAccessExpressionSyntax add }
            || finding.Model.GetTypeInfo(add.Expression).Type is not INamedTypeSymbol type
            || finding.TypeAt(add.Expression.ToString(), finding.Node.SpanStart) is null)
        {
            return null;
        }

        (IMethodSymbol Method, bool Retires)[] syncs = [.. type.GetMembers().OfType<IMethodSymbol>()
            .Where(method => method is { Parameters.IsEmpty: true, IsStatic: false, ReturnsVoid: true, Name: not "Dispose" }
                && (map.Of(method).SelfWords & ContractWord.FlushesIotlb) != 0)
            .Select(method => (method, (map.Of(method).SelfWords & ContractWord.Retires) != 0))
            .OrderBy(static each => each.Item2)];
        return syncs.Length == 0 ? null : (add.Expression.ToString(), syncs[0].Method, syncs[0].Retires);
    }
}
