// Lets the free run after a grace period, as a callback of Rcu.Call.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Replaces <c>pool.Free(node)</c> by <c>Rcu.Call((owner: pool, page: node), static state => state.owner.Free(state.page))</c>.</summary>
internal sealed class DeferInsteadRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.DeferInstead";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Free it after a grace period";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        ReclaimScope.Of(finding) is { Gather: null } scope && CanBeState(finding, scope) && !HasOtherDomain(finding);

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        ReclaimScope scope = ReclaimScope.Of(finding)!;
        ExpressionStatementSyntax statement = node.FirstAncestorOrSelf<ExpressionStatementSyntax>()!;
        return root.ReplaceNode(
            statement.Expression,
            Blocks.Expression(Deferred(scope)).WithTriviaFrom(statement.Expression).WithAdditionalAnnotations(Formatter.Annotation));
    }

    private static string Deferred(ReclaimScope scope)
    {
        const string call = "global::" + ReclaimScope.RcuType + ".Call";
        string method = scope.Call.Expression is MemberAccessExpressionSyntax access ? access.Name.ToString() : scope.Call.Expression.ToString();
        ExpressionSyntax page = scope.Page.WithoutTrivia();
        return (scope.Receiver, scope.IsPageReceiver) switch
        {
            (null, _) => $"{call}({page}, static page => {scope.Call.Expression.WithoutTrivia()}(page))",
            (_, true) => $"{call}({page}, static page => page.{method}())",
            _ => $"{call}((owner: {scope.Receiver.WithoutTrivia()}, page: {page}), static state => state.owner.{method}(state.page))",
        };
    }

    // A ref struct, a ref argument or further arguments cannot ride along in the state, nor can a static callback call on this.
    private static bool CanBeState(Finding finding, ReclaimScope scope)
    {
        if (finding.Type(ReclaimScope.RcuType)?.GetMembers("Call").OfType<IMethodSymbol>().Any(static method => method.IsGenericMethod) != true
            || finding.Model.GetSymbolInfo(scope.Call).Symbol is not IMethodSymbol method
            || (scope.Receiver is null && !method.IsStatic))
        {
            return false;
        }

        SeparatedSyntaxList<ArgumentSyntax> arguments = scope.Call.ArgumentList.Arguments;
        IEnumerable<ExpressionSyntax> captured = arguments.Select(static argument => argument.Expression);
        if (scope.Receiver is ExpressionSyntax receiver)
        {
            captured = captured.Append(receiver);
        }

        return arguments.Count == (scope.IsPageReceiver ? 0 : 1)
            && arguments.All(static argument => argument is { RefKindKeyword.RawKind: 0, NameColon: null })
            && captured.All(each => each is not (BaseExpressionSyntax or LiteralExpressionSyntax)
                && finding.Model.GetTypeInfo(each).Type is { IsRefLikeType: false, TypeKind: not (TypeKind.Pointer or TypeKind.FunctionPointer) });
    }

    // Where another domain is at hand, its readers may be the ones to wait for: nobody can tell.
    private static bool HasOtherDomain(Finding finding) =>
        Scopes.VariablesAt(finding.Model, finding.Node.SpanStart).Any(each => finding.Contracts?.Acquires(each.Type) == true);
}
