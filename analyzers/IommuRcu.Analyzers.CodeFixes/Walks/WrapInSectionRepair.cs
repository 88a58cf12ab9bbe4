// Opens the missing section around the statement, and around everything that uses what the statement declares.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Wraps a walk in <c>using (Rcu.ReadLock())</c>, or in enter, try, finally exit where the domain has no guard.</summary>
internal sealed class WrapInSectionRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.WrapInSection";

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Open a section with '{Shown(finding)}'";

    /// <inheritdoc/>
    public override bool Applies(Finding finding)
    {
        if (finding.Property(DiagnosticProperties.AcquireExpression) is null)
        {
            return false;
        }

        if (ExpressionBodies.OwnerOf(finding.Node) is SyntaxNode owner)
        {
            return !StatementRange.Suspends(ExpressionBodies.BodyOf(owner)!) && !IsIteratorOrByRef(owner, finding.Model);
        }

        return StatementOf(finding.Node) is StatementSyntax statement
            && (StatementRange.OwnerOf(statement) is SyntaxNode list
                ? !StatementRange.From(list, statement).Statements.Any(StatementRange.Suspends)
                : !StatementRange.Suspends(statement));
    }

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (node.AncestorsAndSelf().TakeWhile(each =>
            !StatementRange.IsNestedFunction(each)).Any(each => each.HasAnnotation(Blocks.Section)))
        {
            return root;
        }

        if (ExpressionBodies.OwnerOf(node) is SyntaxNode owner)
        {
            ExpressionSyntax body = ExpressionBodies.BodyOf(owner)!.WithoutTrivia();
            SyntaxNode original = ExpressionBodies.OwnerOf(finding.Node)!;
            StatementSyntax only = ExpressionBodies.IsVoid(original, finding.Model)
                ? SyntaxFactory.ExpressionStatement(body)
                : SyntaxFactory.ReturnStatement(body);
            return root.ReplaceNode(owner, ExpressionBodies.WithBlock(owner, Blocks.Block(Wrap(finding, [only]))));
        }

        StatementSyntax statement = StatementOf(node)!;
        if (StatementRange.OwnerOf(statement) is SyntaxNode list)
        {
            StatementRange range = StatementRange.From(list, statement);
            return Blocks.Replace(root, range, Wrap(finding, [.. range.Statements]));
        }

        StatementSyntax[] wrapped = Wrap(finding, [statement]);
        return root.ReplaceNode(statement, wrapped.Length == 1 ? wrapped[0] : Blocks.Block(wrapped));
    }

    private static StatementSyntax[] Wrap(Finding finding, StatementSyntax[] statements)
    {
        ExpressionSyntax acquire = Blocks.Expression(finding.Property(DiagnosticProperties.AcquireExpression)!);
        return finding.Property(DiagnosticProperties.ReleaseExpression) is string release
            ? [SyntaxFactory.ExpressionStatement(acquire), Blocks.TryFinally(statements, Blocks.Expression(release))]
            : [Blocks.Using(acquire, statements)];
    }

    // The statement to wrap: a local function is not run where it stands, so its own statements come first anyway.
    private static StatementSyntax? StatementOf(SyntaxNode node) =>
        node.FirstAncestorOrSelf<StatementSyntax>(statement => statement is not BlockSyntax and not LocalFunctionStatementSyntax)
            is StatementSyntax found && !IsBehindNestedExpressionBody(node, found) ? found : null;

    private static bool IsBehindNestedExpressionBody(SyntaxNode node, StatementSyntax found) =>
        node.Ancestors().TakeWhile(each => each != found).Any(
            each => StatementRange.IsNestedFunction(each) || each is ConstructorInitializerSyntax);

    private static bool IsIteratorOrByRef(SyntaxNode owner, SemanticModel model)
    {
        ISymbol? symbol = owner is LambdaExpressionSyntax ? model.GetSymbolInfo(owner).Symbol : model.GetDeclaredSymbol(owner);
        return symbol switch
        {
            IMethodSymbol method => method.RefKind != RefKind.None,
            IPropertySymbol property => property.RefKind != RefKind.None,
            _ => true,
        };
    }

    private static string Shown(Finding finding) =>
        finding.Property(DiagnosticProperties.AcquireExpression)!.Replace("global::IommuRcu.", string.Empty).Replace(
            "global::", string.Empty);
}
