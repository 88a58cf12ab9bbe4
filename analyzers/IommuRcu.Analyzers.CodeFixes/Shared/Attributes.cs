// Adds an attribute to a member on a line of its own, below the member's comments.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Edits attribute lists.</summary>
internal static class Attributes
{
    /// <summary>Gets the name under which an attribute class is written.</summary>
    public static string WithoutSuffix(string name) =>
        name.EndsWith("Attribute", System.StringComparison.Ordinal) ? name.Substring(0, name.Length - "Attribute".Length) : name;

    /// <summary>Adds an attribute, given as it stands between the brackets.</summary>
    public static SyntaxNode Add(SyntaxNode member, string attribute)
    {
        SyntaxTriviaList leading = member.GetLeadingTrivia();
        SyntaxTriviaList indentation = leading.Count != 0 && leading.Last().IsKind(SyntaxKind.WhitespaceTrivia)
            ? SyntaxFactory.TriviaList(leading.Last())
            : SyntaxTriviaList.Empty;
        AttributeListSyntax list = Parse(attribute)
            .WithLeadingTrivia(leading)
            .WithTrailingTrivia(EndOfLine(member));
        SyntaxNode stripped = member.WithLeadingTrivia(indentation);
        return stripped switch
        {
            MemberDeclarationSyntax declaration => declaration.WithAttributeLists(declaration.AttributeLists.Insert(0, list)),
            LocalFunctionStatementSyntax function => function.WithAttributeLists(function.AttributeLists.Insert(0, list)),
            _ => member,
        };
    }

    private static AttributeListSyntax Parse(string attribute)
    {
        var parsed = (MemberDeclarationSyntax)SyntaxFactory.ParseMemberDeclaration($"[{attribute}] int x;")!;
        return Blocks.Simplifiable(parsed.AttributeLists[0].WithoutTrivia());
    }

    /// <summary>Gets the line break that a file uses.</summary>
    public static SyntaxTrivia EndOfLine(SyntaxNode member)
    {
        SyntaxTrivia present = member.SyntaxTree.GetRoot().DescendantTrivia().FirstOrDefault(
            each => each.IsKind(SyntaxKind.EndOfLineTrivia));
        return present.IsKind(SyntaxKind.EndOfLineTrivia) ? SyntaxFactory.EndOfLine(present.ToString()) : SyntaxFactory.LineFeed;
    }
}
