// Copies the attribute of an override to the base member, where the callers see it.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Says on the base or interface member what the override demands. Both must be in one document, which a fix may change.</summary>
internal sealed class CopyToBaseRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.CopyToBase";

    /// <inheritdoc/>
    public override string Title(Finding finding) =>
        $"Put [{AttributeOf(finding)!.WithoutTrivia()}] on '{finding.Model.GetDeclaredSymbol(BaseOf(finding)!)!.ContainingType.Name}.{finding.Model.GetDeclaredSymbol(BaseOf(finding)!)!.Name}'";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        AttributeOf(finding) is AttributeSyntax attribute
        && BaseOf(finding) is MemberDeclarationSyntax member
        && finding.Model.GetDeclaredSymbol(member) is ISymbol symbol
        && MeansTheSameOn(symbol, attribute, finding.Model);

    /// <inheritdoc/>
    public override IEnumerable<SyntaxNode> Touches(Finding finding) => BaseOf(finding) is SyntaxNode member ? [member] : [];

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (root.GetCurrentNode(BaseOf(finding)!) is not MemberDeclarationSyntax member)
        {
            return root;
        }

        AttributeSyntax attribute = AttributeOf(finding)!;
        bool isThere = member.AttributeLists.SelectMany(static list => list.Attributes).Any(each => NameOf(each) == NameOf(attribute));
        return isThere ? root : root.ReplaceNode(member, Attributes.Add(member, attribute.WithoutTrivia().ToString()));
    }

    private static AttributeSyntax? AttributeOf(Finding finding) => finding.Node.FirstAncestorOrSelf<AttributeSyntax>();

    private static MemberDeclarationSyntax? BaseOf(Finding finding) =>
        finding.Related()?.FirstAncestorOrSelf<MemberDeclarationSyntax>() is MethodDeclarationSyntax or PropertyDeclarationSyntax or IndexerDeclarationSyntax
            ? finding.Related()!.FirstAncestorOrSelf<MemberDeclarationSyntax>()
            : null;

    private static string NameOf(AttributeSyntax attribute)
    {
        string name = attribute.Name.ToString();
        return Attributes.WithoutSuffix(name.Substring(name.LastIndexOfAny(['.', ':']) + 1));
    }

    // A lock or domain is named by a member or parameter, which the base must have as well, and see.
    private static bool MeansTheSameOn(ISymbol member, AttributeSyntax attribute, SemanticModel model) =>
        attribute.ArgumentList is null || attribute.ArgumentList.Arguments.All(argument =>
            argument.NameEquals?.Name.Identifier.ValueText is not ("Domain" or "Lock" or "Or" or "WhenParameter")
            || (model.GetConstantValue(argument.Expression).Value is string name
                && argument.Expression is LiteralExpressionSyntax
                && (member.ContainingType.GetMembers(name).Any()
                    || member is IMethodSymbol method && method.Parameters.Any(each => each.Name == name))));
}
