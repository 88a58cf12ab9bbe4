// Holds a discarded guard in a using declaration, so that its section lasts to the end of the block.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Puts <c>using</c> before a guard that nobody holds.</summary>
internal sealed class HoldGuardRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.HoldGuard";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Hold the guard in a using";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        StatementOf(finding.Node) is ExpressionStatementSyntax statement
        && GuardOf(statement) is ExpressionSyntax guard
        && Guards.CanBeUsed(finding.Model.GetTypeInfo(guard).Type, finding.Model, statement.SpanStart)
        && StatementRange.OwnerOf(statement) is SyntaxNode owner
        && RestOf(owner, statement).Any(static each => each is not (LocalFunctionStatementSyntax or BreakStatementSyntax))
        && !Waits.In(finding, RestOf(owner, statement));

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (StatementOf(node) is not ExpressionStatementSyntax statement || StatementRange.OwnerOf(statement) is not SyntaxNode owner)
        {
            return root;
        }

        ExpressionSyntax guard = GuardOf(statement)!.WithoutTrivia();
        if (owner is SwitchSectionSyntax)
        {
            // A using declaration may not stand directly in a switch section.
            List<StatementSyntax> rest = [.. RestOf(owner, statement)];
            StatementRange range = StatementRange.From(owner, statement, rest[rest.Count - 1]);
            rest[0] = Comments.Before(rest[0], Comments.Lines(statement.GetTrailingTrivia()));
            return Blocks.Replace(root, range, [Blocks.Using(guard, rest)]);
        }

        string name = Names.Unused(finding.Model, finding.Node, "section", root);
        LocalDeclarationStatementSyntax declaration = SyntaxFactory.LocalDeclarationStatement(
                SyntaxFactory.VariableDeclaration(
                    SyntaxFactory.IdentifierName("var"),
                    SyntaxFactory.SingletonSeparatedList(
                        SyntaxFactory.VariableDeclarator(SyntaxFactory.Identifier(name), null, SyntaxFactory.EqualsValueClause(guard)))))
            .WithUsingKeyword(SyntaxFactory.Token(SyntaxKind.UsingKeyword))
            .WithTriviaFrom(statement)
            .WithAdditionalAnnotations(Formatter.Annotation);
        return root.ReplaceNode(statement, declaration);
    }

    private static ExpressionStatementSyntax? StatementOf(SyntaxNode node)
    {
        StatementSyntax? statement = node.FirstAncestorOrSelf<StatementSyntax>();
        return statement as ExpressionStatementSyntax;
    }

    // Rcu.ReadLock();  and  _ = Rcu.ReadLock();
    private static ExpressionSyntax? GuardOf(ExpressionStatementSyntax statement) => statement.Expression switch
    {
        AssignmentExpressionSyntax { Left: IdentifierNameSyntax { Identifier.ValueText: "_" } } discard => discard.Right,
        InvocationExpressionSyntax call => call,
        AwaitExpressionSyntax or ConditionalAccessExpressionSyntax => statement.Expression,
        _ => null,
    };

    private static IEnumerable<StatementSyntax> RestOf(SyntaxNode owner, StatementSyntax statement) =>
        StatementRange.ListOf(owner).SkipWhile(each => each != statement).Skip(1);
}
