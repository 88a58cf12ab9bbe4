// Lets the free run after a grace period: by the type's own deferral where the rule names one, else as a callback of Rcu.Call.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Replaces <c>pool.Free(node)</c> by <c>Rcu.Call((pool, node), static state => state.pool.Free(state.node))</c>.</summary>
internal sealed class DeferInsteadRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.DeferInstead";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Free it after a grace period";

    /// <inheritdoc/>
    public override bool Applies(Finding finding)
    {
        if (ReclaimScope.Of(finding) is not { } scope)
        {
            return false;
        }

        // Where devices walk the page as well, only the gather keeps the order; a callback alone is for plain memory.
        return finding.Property(DiagnosticProperties.RetireMethod) is not null
            || (scope.Gather is null && scope.Domain is null && CanBeState(finding, scope));
    }

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        ReclaimScope scope = ReclaimScope.Of(finding)!;
        ExpressionStatementSyntax statement = node.FirstAncestorOrSelf<ExpressionStatementSyntax>()!;
        string text = finding.Property(DiagnosticProperties.RetireMethod) is string retire
            ? $"{retire}({scope.Page})"
            : Deferred(scope);
        return root.ReplaceNode(
            statement,
            statement.WithExpression(Blocks.Expression(text).WithTriviaFrom(statement.Expression)).WithAdditionalAnnotations(
                Formatter.Annotation));
    }

    private static string Deferred(ReclaimScope scope)
    {
        const string call = "global::" + ReclaimScope.RcuType + ".Call";
        string method =
            scope.Call.Expression is MemberAccessExpressionSyntax access ? access.Name.ToString() : scope.Call.Expression.ToString();
        return (scope.Receiver, scope.IsPageReceiver) switch
        {
            (null, _) => $"{call}({scope.Page}, static page => {scope.Call.Expression}(page))",
            (_, true) => $"{call}({scope.Page}, static page => page.{method}())",
            _ => $"{call}((owner: {scope.Receiver}, page: {scope.Page}), static state => state.owner.{method}(state.page))",
        };
    }

    // A ref struct, a ref argument or further arguments cannot ride along in the state.
    private static bool CanBeState(Finding finding, ReclaimScope scope)
    {
        if (finding.Type(ReclaimScope.RcuType)?.GetMembers("Call").OfType<IMethodSymbol>().Any(method => method.IsGenericMethod) != true)
        {
            return false;
        }

        SeparatedSyntaxList<ArgumentSyntax> arguments = scope.Call.ArgumentList.Arguments;
        IEnumerable<ExpressionSyntax> captured = arguments.Select(argument => argument.Expression);
        if (scope.ReceiverSyntax is ExpressionSyntax receiver)
        {
            captured = captured.Append(receiver);
        }

        return arguments.Count == (scope.IsPageReceiver ? 0 : 1)
            && arguments.All(argument => argument.RefKindKeyword.IsKind(SyntaxKind.None))
            && finding.Model.GetSymbolInfo(scope.Call).Symbol is IMethodSymbol
            && captured.All(each => finding.Model.GetTypeInfo(each).Type is { IsRefLikeType: false, TypeKind: not TypeKind.Pointer });
    }
}
