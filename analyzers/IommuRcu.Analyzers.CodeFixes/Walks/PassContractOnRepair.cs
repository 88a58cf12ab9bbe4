// Puts RequiresReadLock on the member around the finding: its callers are then asked for the section.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Leaves the section to the callers, and says so.</summary>
internal sealed class PassContractOnRepair : Repair
{
    private static readonly WrapInSectionRepair _wrap = new();

    private const string DefaultAttribute = "IommuRcu.Annotations.RequiresReadLockAttribute";

    /// <inheritdoc/>
    public override string Key => "IommuRcu.PassContractOn";

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Put RequiresReadLock on '{NameOf(MemberOf(finding.Node)!)}'";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        MemberOf(finding.Node) is SyntaxNode member
        && finding.Type(AttributeName(finding)) is not null
        && finding.Model.GetDeclaredSymbol(member) is ISymbol symbol
        && CanDemand(symbol)

        // A body that waits or suspends cannot run inside its caller's section.
        && !member.ChildNodes().Any(each => each is BlockSyntax or ArrowExpressionClauseSyntax or AccessorListSyntax && Waits.In(finding, each));

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        SyntaxNode member = MemberOf(node)!;
        if (member.HasAnnotation(Blocks.Section))
        {
            return root;
        }

        string name = AttributeName(finding);
        string arguments = finding.Property(DiagnosticProperties.RequiresArguments) is string given ? $"({given})" : string.Empty;
        return root.ReplaceNode(
            member, Attributes.Add(member, "global::" + Attributes.WithoutSuffix(name) + arguments).WithAdditionalAnnotations(
                Blocks.Section));
    }

    /// <inheritdoc/>
    public override IEnumerable<(Finding Finding, Repair Repair)> FollowUps(Finding finding)
    {
        // The callers outside of any section are asked for one now.
        foreach (Finding caller in finding.AtRelated())
        {
            if (_wrap.Applies(caller))
            {
                yield return (caller, _wrap);
            }
        }
    }

    private static string AttributeName(Finding finding) => finding.Property(DiagnosticProperties.RequiresAttribute) ?? DefaultAttribute;

    private static SyntaxNode? MemberOf(SyntaxNode node)
    {
        foreach (SyntaxNode each in node.AncestorsAndSelf())
        {
            switch (each)
            {
                case AnonymousFunctionExpressionSyntax or ConstructorInitializerSyntax:
                    return null;
                case LocalFunctionStatementSyntax or MethodDeclarationSyntax or ConstructorDeclarationSyntax:
                case PropertyDeclarationSyntax or IndexerDeclarationSyntax or OperatorDeclarationSyntax:
                    return each;
                case MemberDeclarationSyntax:
                    return null;
            }
        }

        return null;
    }

    // An override or implementation may not ask for more than what its callers see, and nobody calls Main or a static constructor.
    private static bool CanDemand(ISymbol symbol)
    {
        if (symbol.IsOverride || symbol is IMethodSymbol { MethodKind: MethodKind.StaticConstructor }
            || (symbol is IMethodSymbol { Name: "Main", IsStatic: true }))
        {
            return false;
        }

        return symbol.ContainingType is not INamedTypeSymbol type || !type.AllInterfaces
            .SelectMany(each => each.GetMembers())
            .Any(each => SymbolEqualityComparer.Default.Equals(type.FindImplementationForInterfaceMember(each), symbol));
    }

    private static string NameOf(SyntaxNode member) => member switch
    {
        LocalFunctionStatementSyntax function => function.Identifier.ValueText,
        MethodDeclarationSyntax method => method.Identifier.ValueText,
        ConstructorDeclarationSyntax constructor => constructor.Identifier.ValueText,
        PropertyDeclarationSyntax property => property.Identifier.ValueText,
        IndexerDeclarationSyntax => "this[]",
        _ => "the member",
    };
}
