// Puts the attribute that is missing on the member.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Adds the attribute that the rule names.</summary>
internal sealed class AddAttributeRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.AddAttribute";

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Add [{Blocks.Shown(finding.Property(DiagnosticProperties.Attribute)!)}]";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        finding.Property(DiagnosticProperties.Attribute) is not null && MemberOf(finding.Node) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        SyntaxNode member = MemberOf(node)!;
        return root.ReplaceNode(member, Attributes.Add(member, finding.Property(DiagnosticProperties.Attribute)!));
    }

    private static SyntaxNode? MemberOf(SyntaxNode node) => node.FirstAncestorOrSelf<MemberDeclarationSyntax>();
}
