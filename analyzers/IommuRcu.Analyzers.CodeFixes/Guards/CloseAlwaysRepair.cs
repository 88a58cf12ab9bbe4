// Closes a section, or disposes a pin, on every path: a using where there is a guard to hold, else try and finally.
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
    public override string Title(Finding finding) => UsesUsing(Plan(finding.Node, finding)!, finding) ? "Hold it in a using" : "Close it in a finally";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        Plan(finding.Node, finding) is ClosePlan plan
        && !Waits.In(finding, plan.Behind)
        && !(plan.Close is null && Waits.In(finding, plan.Inside));

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (Plan(node, finding) is not ClosePlan plan)
        {
            return root;
        }

        List<StatementSyntax> body = [.. plan.Inside.Select(each => WithoutClosers(each, plan))];
        SyntaxTriviaList comments = plan.Closer is StatementSyntax closer ? Comments.Around(closer) : SyntaxTriviaList.Empty;
        List<StatementSyntax> behind = [.. plan.Behind];
        if (behind.Count != 0)
        {
            behind[0] = behind[0]
                .WithLeadingTrivia(plan.Closer!.GetLeadingTrivia()
                    .AddRange(Comments.Lines(plan.Closer.GetTrailingTrivia().Concat(behind[0].GetLeadingTrivia()))))
                .WithAdditionalAnnotations(Formatter.Annotation);
            comments = SyntaxTriviaList.Empty;
            body.AddRange(behind);
        }

        var range = new StatementRange(plan.Owner, plan.Open, plan.Last);
        StatementSyntax opener = Blocks.WithoutComments(plan.Opener);
        if (!UsesUsing(plan, finding))
        {
            return Blocks.Replace(root, range, [opener, Blocks.TryFinally(body, Blocks.Expression(plan.CloseCall), comments)]);
        }

        var guard = (LocalDeclarationStatementSyntax)opener;
        if (plan.LastsToTheEnd && (plan.Close is null || behind.Count != 0) && plan.Owner is not SwitchSectionSyntax)
        {
            LocalDeclarationStatementSyntax held = guard
                .WithoutLeadingTrivia()
                .WithUsingKeyword(SyntaxFactory.Token(SyntaxKind.UsingKeyword).WithTrailingTrivia(SyntaxFactory.Space));
            return Blocks.Replace(root, range, [held, .. body]);
        }

        body[0] = Comments.Before(body[0], Comments.Lines(guard.GetTrailingTrivia()));
        body[body.Count - 1] = Comments.After(body[body.Count - 1], comments);
        return Blocks.Replace(root, range, [Blocks.Using(guard.Declaration, body)]);
    }

    private static bool UsesUsing(ClosePlan plan, Finding finding) =>
        plan.Guard is not null && !plan.IsPassedByReference && CanBeUsed(finding);

    private static bool CanBeUsed(Finding finding) =>
        StatementRange.OnlyVariable(finding.Node.FirstAncestorOrSelf<LocalDeclarationStatementSyntax>()) is VariableDeclaratorSyntax variable
        && finding.Model.GetDeclaredSymbol(variable) is ILocalSymbol local
        && Guards.CanBeUsed(local.Type, finding.Model, variable.SpanStart);

    private static ClosePlan? Plan(SyntaxNode node, Finding finding)
    {
        StatementSyntax? opener = node.FirstAncestorOrSelf<StatementSyntax>();
        if (opener is null || StatementRange.OwnerOf(opener) is not SyntaxNode owner)
        {
            return null;
        }

        return opener switch
        {
            // var g = Enter();
            LocalDeclarationStatementSyntax guard
                when StatementRange.OnlyVariable(guard) is VariableDeclaratorSyntax variable
                && finding.Property(DiagnosticProperties.CloseMethod) is string close && IsWhole(variable.Initializer!.Value, node) =>
                ClosePlan.Create(owner, opener, guard, $"{variable.Identifier.ValueText}.{close}()"),

            // Enter();
            ExpressionStatementSyntax { Expression: InvocationExpressionSyntax call }
                when finding.Property(DiagnosticProperties.ReleaseExpression) is string release && IsWhole(call, node)
                && release.IndexOf('(') == release.Length - 2 =>
                ClosePlan.Create(owner, opener, null, release),
            _ => null,
        };
    }

    private static bool IsWhole(ExpressionSyntax expression, SyntaxNode node) =>
        node == expression || node.Span == expression.Span || node.Span.Contains(expression.Span);

    private static StatementSyntax WithoutClosers(StatementSyntax statement, ClosePlan plan)
    {
        List<StatementSyntax> closers = [.. statement.DescendantNodes().OfType<StatementSyntax>().Where(plan.IsClose)];
        bool areCommented = closers.Exists(static each => Comments.IsIn(each.GetLeadingTrivia()) || Comments.IsIn(each.GetTrailingTrivia()));
        return closers.Count == 0 ? statement : statement.RemoveNodes(
            closers, areCommented ? SyntaxRemoveOptions.KeepExteriorTrivia : SyntaxRemoveOptions.KeepNoTrivia)!;
    }
}
