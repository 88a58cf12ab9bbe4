// Puts a page on a gather instead of freeing it: on the gather in scope, else on a new one of the domain in scope.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Replaces a direct free by <c>gather.Add(page)</c>.</summary>
internal sealed class GatherInsteadRepair : Repair
{
    private const string Kind = "IommuRcu.Gather";

    /// <inheritdoc/>
    public override string Key => "IommuRcu.GatherInstead";

    /// <inheritdoc/>
    public override string Title(Finding finding) => ReclaimScope.Of(finding)!.Gather is string gather
        ? $"Put it on '{gather}'"
        : "Put it on a new gather";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        ReclaimScope.Of(finding) is { } scope && (scope.Gather is not null || scope.Domain is not null);

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        ReclaimScope scope = ReclaimScope.Of(finding)!;
        ExpressionStatementSyntax statement = node.FirstAncestorOrSelf<ExpressionStatementSyntax>()!;
        string gather = scope.Gather ?? Names.Unused(finding.Model, finding.Node, "gather", root);
        ExpressionStatementSyntax add = ((ExpressionStatementSyntax)SyntaxFactory.ParseStatement($"{gather}.{scope.Method}({scope.Page});"))
            .WithTriviaFrom(statement)
            .WithAdditionalAnnotations(Formatter.Annotation);
        if (scope.Gather is not null)
        {
            return root.ReplaceNode(statement, add);
        }

        string open = $"new global::{ReclaimScope.GatherType}({scope.Domain})";
        SyntaxNode? owner = StatementRange.OwnerOf(statement);

        // One gather serves every page that this block frees from here on.
        if (Opened(statement, scope.Domain!) is string earlier)
        {
            return root.ReplaceNode(
                statement,
                SyntaxFactory.ParseStatement($"{earlier}.{scope.Method}({scope.Page});")
                    .WithTriviaFrom(statement)
                    .WithAdditionalAnnotations(Formatter.Annotation));
        }

        if (owner is null or SwitchSectionSyntax)
        {
            // No place for a using declaration: the gather gets a block of its own.
            VariableDeclarationSyntax guard = Declaration(gather, open);
            return root.ReplaceNode(statement, Blocks.Using(guard, [add]).WithTriviaFrom(statement));
        }

        LocalDeclarationStatementSyntax declaration = SyntaxFactory.LocalDeclarationStatement(Declaration(gather, open))
            .WithUsingKeyword(SyntaxFactory.Token(SyntaxKind.UsingKeyword))
            .WithAdditionalAnnotations(Formatter.Annotation, Marker(scope.Domain!));
        StatementRange range = StatementRange.From(owner, statement);
        return Blocks.Replace(
            root,
            new StatementRange(owner, range.First, range.First),
            [declaration, add.WithLeadingTrivia(SyntaxFactory.ElasticMarker)]);
    }

    private static VariableDeclarationSyntax Declaration(string name, string value) => SyntaxFactory.VariableDeclaration(
        SyntaxFactory.IdentifierName("var"),
        SyntaxFactory.SingletonSeparatedList(
            SyntaxFactory.VariableDeclarator(
                SyntaxFactory.Identifier(name), null, SyntaxFactory.EqualsValueClause(Blocks.Expression(value)))));

    private static SyntaxAnnotation Marker(string domain) => new(Kind, domain);

    // A gather that an earlier repair began in this list or around it; nested functions run at another time.
    private static string? Opened(StatementSyntax statement, string domain) => statement.Ancestors()
        .TakeWhile(
            each => each is not MemberDeclarationSyntax and not LocalFunctionStatementSyntax and not AnonymousFunctionExpressionSyntax)
        .SelectMany(StatementRange.ListOf)
        .OfType<LocalDeclarationStatementSyntax>()
        .FirstOrDefault(each => each.SpanStart < statement.SpanStart && each.GetAnnotations(Kind).Any(mark => mark.Data == domain))?
        .Declaration.Variables[0].Identifier.ValueText;
}
