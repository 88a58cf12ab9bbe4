// Builds what repairs put around code: using statements, try/finally, blocks in place of expression bodies; leaves layout to the formatter.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;
using Microsoft.CodeAnalysis.Simplification;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Syntax that several repairs build.</summary>
internal static class Blocks
{
    /// <summary>Marks what a repair opened, so that the next repair sees that its finding is covered.</summary>
    public static SyntaxAnnotation Section { get; } = new("IommuRcu.Section");

    /// <summary>Parses an expression from a diagnostic's property; its names are shortened as the file's usings allow.</summary>
    public static ExpressionSyntax Expression(string text) => Simplifiable(SyntaxFactory.ParseExpression(text));

    /// <summary>Gets an expression as titles show it.</summary>
    public static string Shown(string text) => text.Replace("global::IommuRcu.", string.Empty).Replace("global::", string.Empty);

    /// <summary>Marks every qualified name, so that the simplifier shortens it.</summary>
    public static T Simplifiable<T>(T node)
        where T : SyntaxNode =>
        node.ReplaceNodes(
            node.DescendantNodesAndSelf().Where(each => each is NameSyntax or MemberAccessExpressionSyntax),
            (_, rewritten) => rewritten.WithAdditionalAnnotations(Simplifier.Annotation));

    /// <summary>Puts statements into a using statement.</summary>
    public static UsingStatementSyntax Using(ExpressionSyntax guard, IEnumerable<StatementSyntax> statements) =>
        SyntaxFactory.UsingStatement(null, guard, Block(statements)).WithAdditionalAnnotations(Formatter.Annotation, Section);

    /// <summary>Puts statements into a using statement that declares its guard.</summary>
    public static UsingStatementSyntax Using(VariableDeclarationSyntax guard, IEnumerable<StatementSyntax> statements) =>
        SyntaxFactory.UsingStatement(guard.WithoutTrivia(), null, Block(statements)).WithAdditionalAnnotations(
            Formatter.Annotation, Section);

    /// <summary>Puts statements into a try whose finally makes one call.</summary>
    public static TryStatementSyntax TryFinally(
        IEnumerable<StatementSyntax> statements, ExpressionSyntax close, SyntaxTriviaList comments = default) =>
        SyntaxFactory.TryStatement(
            Block(statements),
            default,
            SyntaxFactory.FinallyClause(Block([Comments.Before(SyntaxFactory.ExpressionStatement(close), comments)])))
        .WithAdditionalAnnotations(Formatter.Annotation, Section);

    /// <summary>Replaces a run of statements by others; the comments before the run go to the first, and must be on no other.</summary>
    public static SyntaxNode Replace(SyntaxNode root, StatementRange range, IReadOnlyList<StatementSyntax> replacement)
    {
        List<StatementSyntax> old = [.. range.Statements];
        SyntaxTriviaList leading = old[0].GetLeadingTrivia();
        List<StatementSyntax> placed = [.. replacement];
        placed[0] = placed[0].WithLeadingTrivia(leading.AddRange(Comments.Lines(placed[0].GetLeadingTrivia())));
        return range.Owner switch
        {
            BlockSyntax block => root.ReplaceNode(block, block.WithStatements(Splice(block.Statements, range, placed))),
            SwitchSectionSyntax section => root.ReplaceNode(section, section.WithStatements(Splice(section.Statements, range, placed))),
            CompilationUnitSyntax unit => ReplaceGlobal(root, unit, range, placed),
            _ => root,
        };
    }

    /// <summary>Gives a statement the layout of its new place, without the comments that go to what is put around or before it.</summary>
    public static StatementSyntax WithoutComments(StatementSyntax statement) => statement.WithLeadingTrivia(SyntaxFactory.ElasticMarker);

    /// <summary>Makes a block.</summary>
    public static BlockSyntax Block(IEnumerable<StatementSyntax> statements)
    {
        List<StatementSyntax> list = [.. statements];
        if (list.Count != 0)
        {
            list[0] = Comments.WithoutBlankLines(list[0]);
        }

        // The line break keeps the formatter from leaving a block of a lambda on one line.
        return SyntaxFactory.Block(
            SyntaxFactory.Token(SyntaxKind.OpenBraceToken).WithTrailingTrivia(SyntaxFactory.ElasticCarriageReturnLineFeed),
            SyntaxFactory.List(list),
            SyntaxFactory.Token(SyntaxKind.CloseBraceToken));
    }

    private static SyntaxList<StatementSyntax> Splice(
        SyntaxList<StatementSyntax> list, StatementRange range, IEnumerable<StatementSyntax> replacement) =>
        SyntaxFactory.List(list.Take(range.First).Concat(replacement).Concat(list.Skip(range.Last + 1)));

    private static SyntaxNode ReplaceGlobal(
        SyntaxNode root, CompilationUnitSyntax unit, StatementRange range, List<StatementSyntax> replacement)
    {
        List<GlobalStatementSyntax> globals = [.. unit.Members.OfType<GlobalStatementSyntax>()];
        int start = unit.Members.IndexOf(globals[range.First]);
        int count = range.Last - range.First + 1;
        IEnumerable<MemberDeclarationSyntax> members = unit.Members.Take(start)
            .Concat(replacement.Select(SyntaxFactory.GlobalStatement))
            .Concat(unit.Members.Skip(start + count));
        return root.ReplaceNode(unit, unit.WithMembers(SyntaxFactory.List(members)));
    }
}
