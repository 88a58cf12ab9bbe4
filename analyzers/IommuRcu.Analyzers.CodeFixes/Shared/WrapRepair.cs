// Puts something around the statement of a finding, and around everything that uses what the statement declares.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>The base of the repairs that open a section or take a lock around the code of a finding. Nothing that waits may come inside.</summary>
internal abstract class WrapRepair : Repair
{
    private enum Shape
    {
        None,
        ExpressionBody,
        Embedded,

        // The statement, and all that follow up to the last that uses what it declares.
        Run,

        // The statement alone, what it declares before it.
        Hoisted,
    }

    /// <inheritdoc/>
    public sealed override bool Applies(Finding finding) => ShapeOf(finding) != Shape.None;

    /// <inheritdoc/>
    public sealed override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (node.AncestorsAndSelf().TakeWhile(static each => !StatementRange.IsNestedFunction(each))
            .Any(static each => each.HasAnnotation(Blocks.Section)))
        {
            return root;
        }

        Shape shape = ShapeOf(finding);
        if (shape == Shape.ExpressionBody)
        {
            return ExpressionBodies.OwnerOf(node) is SyntaxNode body ? ReplaceBody(root, body, finding) : root;
        }

        if (StatementOf(node) is not StatementSyntax statement)
        {
            return root;
        }

        if (StatementRange.OwnerOf(statement) is not SyntaxNode owner)
        {
            StatementSyntax[] around = [.. Wrap(finding, [Blocks.WithoutComments(statement)])];
            StatementSyntax one = around.Length == 1 ? around[0] : Blocks.Block(around);
            return root.ReplaceNode(statement, one.WithLeadingTrivia(Comments.Leading(statement)));
        }

        if (shape == Shape.Hoisted && statement is LocalDeclarationStatementSyntax declaration)
        {
            return Hoist(root, owner, declaration, finding);
        }

        StatementRange range = StatementRange.From(owner, statement);
        List<StatementSyntax> inside = [.. range.Statements];
        inside[0] = Blocks.WithoutComments(inside[0]);
        return Blocks.Replace(root, range, [.. Wrap(finding, inside)]);
    }

    /// <summary>Says whether the diagnostic tells what to put around, and it means something at a place.</summary>
    protected abstract bool CanWrapAt(Finding finding, int position);

    /// <summary>Says whether a value that only counts inside would leave the statements, the locals of which are hoisted out or not.</summary>
    protected virtual bool Escapes(Finding finding, IReadOnlyList<SyntaxNode> wrapped, bool isHoisted) => false;

    /// <summary>Puts it around statements.</summary>
    protected abstract IEnumerable<StatementSyntax> Wrap(Finding finding, IReadOnlyList<StatementSyntax> statements);

    private Shape ShapeOf(Finding finding)
    {
        if (ExpressionBodies.OwnerOf(finding.Node) is SyntaxNode body)
        {
            ExpressionSyntax expression = ExpressionBodies.BodyOf(body)!;
            return ExpressionBodies.CanBeBlock(body, finding.Model) && Fits(finding, [expression]) ? Shape.ExpressionBody : Shape.None;
        }

        if (StatementOf(finding.Node) is not StatementSyntax statement || statement is ReturnStatementSyntax { Expression: RefExpressionSyntax })
        {
            return Shape.None;
        }

        if (StatementRange.OwnerOf(statement) is not SyntaxNode owner)
        {
            return Fits(finding, [statement]) ? Shape.Embedded : Shape.None;
        }

        IReadOnlyList<SyntaxNode> run = [.. StatementRange.From(owner, statement).Statements];
        return Fits(finding, run) ? Shape.Run
            : run.Count > 1 && CanHoist(statement, finding) && Fits(finding, [statement], isHoisted: true) ? Shape.Hoisted
            : Shape.None;
    }

    private bool Fits(Finding finding, IReadOnlyList<SyntaxNode> wrapped, bool isHoisted = false) =>
        CanWrapAt(finding, wrapped[0].SpanStart) && !Waits.In(finding, wrapped) && !Escapes(finding, wrapped, isHoisted);

    private SyntaxNode ReplaceBody(SyntaxNode root, SyntaxNode owner, Finding finding)
    {
        ExpressionSyntax body = ExpressionBodies.BodyOf(owner)!;
        SyntaxNode original = ExpressionBodies.OwnerOf(finding.Node)!;
        SyntaxTriviaList comments = Comments.Lines(body.GetLeadingTrivia());
        StatementSyntax only = ExpressionBodies.IsVoid(original, finding.Model)
            ? SyntaxFactory.ExpressionStatement(body.WithoutTrivia())
            : SyntaxFactory.ReturnStatement(body.WithoutTrivia());
        only = Comments.Before(only.WithTrailingTrivia(body.GetTrailingTrivia()), comments);
        return root.ReplaceNode(owner, ExpressionBodies.WithBlock(owner, Blocks.Block(Wrap(finding, [only]))));
    }

    private SyntaxNode Hoist(SyntaxNode root, SyntaxNode owner, LocalDeclarationStatementSyntax declaration, Finding finding)
    {
        (LocalDeclarationStatementSyntax before, StatementSyntax assignment) = Hoisting.Split(
            declaration, Hoisting.TypeOf((LocalDeclarationStatementSyntax)StatementOf(finding.Node)!, finding.Model)!);
        return Blocks.Replace(
            root, StatementRange.At(owner, declaration), [before, .. Wrap(finding, [Blocks.WithoutComments(assignment)])]);
    }

    private static bool CanHoist(StatementSyntax statement, Finding finding) =>
        statement is LocalDeclarationStatementSyntax declaration
        && !declaration.DescendantNodes().OfType<SingleVariableDesignationSyntax>().Any()
        && Hoisting.TypeOf(declaration, finding.Model) is not null;

    // A local function is not run where it stands: its own statements come first anyway.
    private static StatementSyntax? StatementOf(SyntaxNode node) =>
        node.FirstAncestorOrSelf<StatementSyntax>(static each => each is not BlockSyntax and not LocalFunctionStatementSyntax)
            is StatementSyntax found && !RunsElsewhere(node, found) ? found : null;

    private static bool RunsElsewhere(SyntaxNode node, StatementSyntax statement) =>
        node.Ancestors().TakeWhile(each => each != statement).Any(static each =>
            StatementRange.IsNestedFunction(each) || each is ConstructorInitializerSyntax or QueryExpressionSyntax);
}
