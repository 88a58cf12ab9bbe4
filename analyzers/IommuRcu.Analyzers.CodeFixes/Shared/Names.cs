// Finds a name for a new local that nothing near it uses yet.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Chooses names.</summary>
internal static class Names
{
    /// <summary>Gives the wanted name, or the same with a number, so that it clashes with nothing in the member.</summary>
    /// <param name="model">The model of the document before any repair.</param>
    /// <param name="node">A node in that document, where the name is to be used.</param>
    /// <param name="wanted">The name to begin with.</param>
    /// <param name="current">The root by now, with the names that earlier repairs chose.</param>
    public static string Unused(SemanticModel model, SyntaxNode node, string wanted, SyntaxNode current)
    {
        HashSet<string> taken =
            [.. model.LookupSymbols(node.SpanStart).Where(symbol =>
                symbol is ILocalSymbol or IParameterSymbol).Select(symbol => symbol.Name)];
        taken.UnionWith(DeclaredIn(MemberOf(node)));

        // Earlier repairs may have declared names in this very member: look for it in the tree as it is by now.
        SyntaxNode? now = current.GetCurrentNode(node);
        taken.UnionWith(DeclaredIn(now is null ? current : MemberOf(now)));
        string name = wanted;
        for (int i = 2; taken.Contains(name); i++)
        {
            name = wanted + i;
        }

        return name;
    }

    private static SyntaxNode MemberOf(SyntaxNode node) =>
        node.FirstAncestorOrSelf<MemberDeclarationSyntax>(member => member is not GlobalStatementSyntax) ?? node.SyntaxTree.GetRoot();

    private static IEnumerable<string> DeclaredIn(SyntaxNode member) => member.DescendantTokens()
        .Where(token => token.IsKind(SyntaxKind.IdentifierToken)
            && token.Parent is VariableDeclaratorSyntax or SingleVariableDesignationSyntax or ParameterSyntax or ForEachStatementSyntax)
        .Select(token => token.ValueText);
}
