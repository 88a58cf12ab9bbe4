// Syncs a gather on every path: a using, or a finally where it is passed by reference.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Puts <c>using</c> before a gather, or the code behind it into a try. What syncs it earlier stays: syncing an empty gather does nothing.</summary>
internal sealed class HoldGatherRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.HoldGather";

    /// <inheritdoc/>
    public override string Title(Finding finding) => NeedsFinally(finding) ? "Sync it in a finally" : "Hold it in a using";

    /// <inheritdoc/>
    public override bool Applies(Finding finding)
    {
        if (GatherOf(finding.Node) is not LocalDeclarationStatementSyntax gather
            || StatementRange.OwnerOf(gather) is not SyntaxNode owner
            || finding.Property(DiagnosticProperties.CloseMethod) is null
            || finding.Model.GetDeclaredSymbol(gather.Declaration.Variables[0]) is not ILocalSymbol)
        {
            return false;
        }

        // Another gather in the same variable, or one that is handed on on some path, would be synced in its place.
        return !UsesOf(owner, gather).Any(static each => each.Parent is AssignmentExpressionSyntax or ReturnStatementSyntax or EqualsValueClauseSyntax)
            && RestOf(owner, gather).Any();
    }

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (GatherOf(node) is not LocalDeclarationStatementSyntax gather || StatementRange.OwnerOf(gather) is not SyntaxNode owner)
        {
            return root;
        }

        bool needsFinally = NeedsFinally(finding);
        if (!needsFinally && owner is not SwitchSectionSyntax)
        {
            LocalDeclarationStatementSyntax held = gather
                .WithoutLeadingTrivia()
                .WithUsingKeyword(SyntaxFactory.Token(SyntaxKind.UsingKeyword).WithTrailingTrivia(SyntaxFactory.Space))
                .WithLeadingTrivia(gather.GetLeadingTrivia());
            return root.ReplaceNode(gather, held);
        }

        List<StatementSyntax> rest = [.. RestOf(owner, gather)];
        int first = StatementRange.At(owner, gather).First;
        if (needsFinally)
        {
            string name = gather.Declaration.Variables[0].Identifier.ValueText;
            ExpressionSyntax close = Blocks.Expression($"{name}.{finding.Property(DiagnosticProperties.CloseMethod)}()");
            return Blocks.Replace(
                root, new StatementRange(owner, first, first + rest.Count), [Blocks.WithoutComments(gather), Blocks.TryFinally(rest, close)]);
        }

        rest[0] = Comments.Before(rest[0], Comments.Lines(gather.GetTrailingTrivia()));
        return Blocks.Replace(root, new StatementRange(owner, first, first + rest.Count), [Blocks.Using(gather.Declaration, rest)]);
    }

    // C# forbids to pass a using variable by reference (CS1657).
    private static bool NeedsFinally(Finding finding)
    {
        LocalDeclarationStatementSyntax gather = GatherOf(finding.Node)!;
        var local = (ILocalSymbol)finding.Model.GetDeclaredSymbol(gather.Declaration.Variables[0])!;
        return finding.Property(DiagnosticProperties.CloseMethod) != "Dispose"
            || !Guards.CanBeUsed(local.Type, finding.Model, gather.SpanStart)
            || UsesOf(StatementRange.OwnerOf(gather)!, gather).Any(static each => each.Parent is ArgumentSyntax { RefKindKeyword.RawKind: not 0 });
    }

    private static IEnumerable<IdentifierNameSyntax> UsesOf(SyntaxNode owner, LocalDeclarationStatementSyntax gather) => RestOf(owner, gather)
        .SelectMany(static each => each.DescendantNodes().OfType<IdentifierNameSyntax>())
        .Where(each => each.Identifier.ValueText == gather.Declaration.Variables[0].Identifier.ValueText);

    private static IEnumerable<StatementSyntax> RestOf(SyntaxNode owner, StatementSyntax statement) =>
        StatementRange.ListOf(owner).SkipWhile(each => each != statement).Skip(1);

    private static LocalDeclarationStatementSyntax? GatherOf(SyntaxNode node) =>
        node.FirstAncestorOrSelf<StatementSyntax>() is LocalDeclarationStatementSyntax
        {
            UsingKeyword.RawKind: 0, Declaration.Variables.Count: 1,
        } gather ? gather : null;
}
