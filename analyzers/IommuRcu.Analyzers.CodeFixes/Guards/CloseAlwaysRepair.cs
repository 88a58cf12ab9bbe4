// Closes a section, or syncs a gather, on every path: a using where there is a guard to hold, else try and finally.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Turns <c>var g = Enter(); …; g.Dispose();</c> and <c>Enter(); …; Exit();</c> into what no path can leave open.</summary>
internal sealed class CloseAlwaysRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.CloseAlways";

    /// <inheritdoc/>
    public override string Title(Finding finding) => Plan(finding.Node, finding) switch
    {
        { Guard: not null, NeedsFinally: false } => "Hold it in a using",
        _ => "Close it in a finally",
    };

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => Plan(finding.Node, finding) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (Plan(node, finding) is not ClosePlan plan)
        {
            return root;
        }

        List<StatementSyntax> list = [.. StatementRange.ListOf(plan.Owner)];
        StatementSyntax opener = list[plan.Open];
        int end = plan.Close ?? list.Count;
        List<StatementSyntax> body = [.. list.Skip(plan.Open + 1).Take(end - plan.Open - 1).Select(each => WithoutClosers(each, plan))];
        var range = new StatementRange(plan.Owner, plan.Open, plan.Close ?? (list.Count - 1));
        if (plan.Guard is not LocalDeclarationStatementSyntax guard || plan.NeedsFinally)
        {
            TryStatementSyntax attempt = Blocks.TryFinally(body, Blocks.Expression(plan.CloseCall));
            return Blocks.Replace(root, range, [opener, attempt]);
        }

        if (plan.Close is null && plan.Owner is not SwitchSectionSyntax)
        {
            LocalDeclarationStatementSyntax held = guard
                .WithoutLeadingTrivia()
                .WithUsingKeyword(SyntaxFactory.Token(SyntaxKind.UsingKeyword).WithTrailingTrivia(SyntaxFactory.Space));
            return Blocks.Replace(root, range, [held, .. body]);
        }

        return Blocks.Replace(root, range, [Blocks.Using(guard.Declaration, body)]);
    }

    private static ClosePlan? Plan(SyntaxNode node, Finding finding)
    {
        StatementSyntax? opener = node.FirstAncestorOrSelf<StatementSyntax>();
        if (opener is null || StatementRange.OwnerOf(opener) is not SyntaxNode owner)
        {
            return null;
        }

        var guard = opener as LocalDeclarationStatementSyntax;
        string? close;
        if (guard is { UsingKeyword.RawKind: 0, Declaration.Variables.Count: 1 })
        {
            string method = finding.Property(DiagnosticProperties.CloseMethod) ?? "Dispose";
            close = $"{guard.Declaration.Variables[0].Identifier.ValueText}.{method}()";
        }
        else if (opener is ExpressionStatementSyntax)
        {
            guard = null;
            close = finding.Property(DiagnosticProperties.ReleaseExpression);
        }
        else
        {
            return null;
        }

        return close is null ? null : ClosePlan.Create(owner, opener, guard, close);
    }

    private static StatementSyntax WithoutClosers(StatementSyntax statement, ClosePlan plan)
    {
        List<StatementSyntax> closers = [.. statement.DescendantNodes().OfType<StatementSyntax>().Where(plan.IsClose)];
        return closers.Count == 0 ? statement : statement.RemoveNodes(closers, SyntaxRemoveOptions.KeepNoTrivia)!;
    }
}
