// Calls the method that opens a section where a guard was made up.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Replaces <c>default</c>, <c>new</c> and the like by the one opener of such guards that is in reach.</summary>
internal sealed class OpenInsteadOfForgingRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.OpenInsteadOfForging";

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Open a section with '{Blocks.Shown(OpenerOf(finding)!)}'";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => ExpressionOf(finding.Node) is not null && OpenerOf(finding) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        ExpressionSyntax forged = ExpressionOf(node)!;
        ExpressionSyntax open = Blocks.Expression(OpenerOf(finding)!);

        // Both branches alike: the condition decides nothing any more.
        if (forged.Parent is ConditionalExpressionSyntax conditional && conditional.Condition != forged
            && conditional.Condition is IdentifierNameSyntax or LiteralExpressionSyntax
            && (forged == conditional.WhenTrue ? conditional.WhenFalse : conditional.WhenTrue) is InvocationExpressionSyntax other
            && IsSame(other.ToString(), OpenerOf(finding)!))
        {
            return root.ReplaceNode(conditional, other.WithTriviaFrom(conditional));
        }

        return root.ReplaceNode(forged, open.WithTriviaFrom(forged));
    }

    private static bool IsSame(string written, string full) =>
        full == written || full.EndsWith("." + written, System.StringComparison.Ordinal) || full == "global::" + written;

    private static ExpressionSyntax? ExpressionOf(SyntaxNode node) => node switch
    {
        ArgumentSyntax argument => argument.Expression,
        EqualsValueClauseSyntax clause => clause.Value,
        _ => node as ExpressionSyntax,
    };

    // The types beside the guard's are asked which of their methods open such a section.
    private static string? OpenerOf(Finding finding)
    {
        ITypeSymbol? guard = ExpressionOf(finding.Node) is ExpressionSyntax forged
            ? finding.Model.GetTypeInfo(forged) is var info ? info.ConvertedType ?? info.Type : null
            : null;
        if (guard is null || finding.Contracts is not ContractMap map)
        {
            return null;
        }

        IEnumerable<INamedTypeSymbol> neighbours = guard.ContainingType is INamedTypeSymbol outer ? [outer] : guard.ContainingNamespace.GetTypeMembers();
        List<IMethodSymbol> openers = [.. neighbours.SelectMany(static type => type.GetMembers().OfType<IMethodSymbol>())
            .Where(method => method.Parameters.IsEmpty
                && SymbolEqualityComparer.Default.Equals(method.ReturnType, guard)
                && map.Of(method).Find(ContractWord.AcquiresReadLock) is { When: null })];
        int position = finding.Node.SpanStart;
        List<string> calls = [.. openers.SelectMany(method => method.IsStatic
                ? [method.ContainingType.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat)]
                : Scopes.VariablesAt(finding.Model, position)
                    .Where(each => SymbolEqualityComparer.Default.Equals(each.Type, method.ContainingType)).Select(static each => each.Name),
            static (method, receiver) => $"{receiver}.{method.Name}()")];
        return calls.Count == 1 && finding.TypeAt(calls[0], position) is not null ? calls[0] : null;
    }
}
