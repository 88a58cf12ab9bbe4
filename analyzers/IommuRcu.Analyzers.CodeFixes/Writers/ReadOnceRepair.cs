// Gives what a null test reads a name, and puts the name where the same pointer is read again.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Turns <c>Read() != null … Read().Value</c> into <c>Read() is { } value … value.Value</c>.</summary>
internal sealed class ReadOnceRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.ReadOnce";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Read it once, into a local";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        ReadOf(finding.Node) is ExpressionSyntax read
        && finding.Related() is BinaryExpressionSyntax or IsPatternExpressionSyntax
        && finding.Model.GetTypeInfo(read).Type is { IsReferenceType: true }
        && finding.Node.SyntaxTree.Options is CSharpParseOptions { LanguageVersion: >= LanguageVersion.CSharp9 };

    /// <inheritdoc/>
    public override IEnumerable<SyntaxNode> Touches(Finding finding) => finding.Related() is SyntaxNode test ? [test] : [];

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (ReadOf(node) is not ExpressionSyntax read || finding.Related() is not SyntaxNode original || root.GetCurrentNode(original) is not ExpressionSyntax test)
        {
            return root;
        }

        // Another finding's repair may have named it already.
        string name = DesignationOf(test)?.Identifier.ValueText ?? Names.Unused(finding.Model, finding.Node, NameFor(read, finding), root);
        bool isNegated = test is BinaryExpressionSyntax { RawKind: (int)SyntaxKind.EqualsExpression }
            or IsPatternExpressionSyntax { Pattern: ConstantPatternSyntax or UnaryPatternSyntax { Pattern: RecursivePatternSyntax } };
        ExpressionSyntax named = SyntaxFactory.ParseExpression($"{read.WithoutTrivia()} is {(isNegated ? "not " : string.Empty)}{{ }} {name}")
            .WithTriviaFrom(test).WithAdditionalAnnotations(Formatter.Annotation);
        return root.ReplaceNodes(
            [test, read],
            (old, _) => old == test ? test.CopyAnnotationsTo(named) : SyntaxFactory.IdentifierName(name).WithTriviaFrom(read));
    }

    private static SingleVariableDesignationSyntax? DesignationOf(ExpressionSyntax test) =>
        test.DescendantNodes().OfType<RecursivePatternSyntax>().Select(static each => each.Designation).OfType<SingleVariableDesignationSyntax>().FirstOrDefault();

    private static ExpressionSyntax? ReadOf(SyntaxNode node) =>
        node is IdentifierNameSyntax { Parent: MemberAccessExpressionSyntax access } && access.Name == node ? access : node as ExpressionSyntax;

    // The member's name, as a local has it; a local must not hide a member that the code names.
    private static string NameFor(ExpressionSyntax read, Finding finding)
    {
        ExpressionSyntax place = read is InvocationExpressionSyntax call ? call.ArgumentList.Arguments[0].Expression : read;
        string member = place.DescendantNodesAndSelf().OfType<SimpleNameSyntax>().Last().Identifier.ValueText.TrimStart('_');
        string name = member.Length == 0 ? member : char.ToLowerInvariant(member[0]) + member.Substring(1);
        return name.Length != 0 && SyntaxFacts.GetKeywordKind(name) == SyntaxKind.None
            && finding.Model.LookupSymbols(finding.Node.SpanStart, name: name).All(static each => each is ILocalSymbol or IParameterSymbol) ? name : "current";
    }
}
