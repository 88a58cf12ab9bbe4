// What a direct free looks like and what is around it: the page, who frees it, and a gather with a range that can take it.
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>A direct free, seen from where it stands.</summary>
internal sealed class ReclaimScope
{
    public const string RcuType = "IommuRcu.Rcu";

    private ReclaimScope(InvocationExpressionSyntax call, ExpressionSyntax page, ExpressionSyntax? receiver)
    {
        Call = call;
        Page = page;
        Receiver = receiver;
    }

    /// <summary>Gets the call that frees.</summary>
    public InvocationExpressionSyntax Call { get; }

    /// <summary>Gets the page.</summary>
    public ExpressionSyntax Page { get; }

    /// <summary>Gets the receiver of the call; null where it has none, or a type.</summary>
    public ExpressionSyntax? Receiver { get; }

    /// <summary>Gets whether the page frees itself (<c>page.Release()</c>).</summary>
    public bool IsPageReceiver => Page == Receiver;

    /// <summary>Gets a gather in scope that takes the page.</summary>
    public string? Gather { get; private set; }

    /// <summary>Gets the method that puts a page on the gather.</summary>
    public string Method { get; private set; } = "Add";

    /// <summary>Looks around a finding; null where the free is not a statement of its own, or the rule does not know the page to be unlinked.</summary>
    public static ReclaimScope? Of(Finding finding)
    {
        if (finding.Property(DiagnosticProperties.Page) is null
            || finding.Node.FirstAncestorOrSelf<InvocationExpressionSyntax>() is not { Parent: ExpressionStatementSyntax } call
            || finding.Model.GetSymbolInfo(call).Symbol is not IMethodSymbol method
            || method.IsExtensionMethod)
        {
            return null;
        }

        SemanticModel model = finding.Model;
        ExpressionSyntax? receiver = call.Expression is MemberAccessExpressionSyntax access
            && model.GetSymbolInfo(access.Expression).Symbol is not (INamedTypeSymbol or INamespaceSymbol) ? access.Expression : null;
        if ((call.ArgumentList.Arguments.FirstOrDefault()?.Expression ?? receiver) is not ExpressionSyntax page
            || model.GetTypeInfo(page).Type is not ITypeSymbol type)
        {
            return null;
        }

        var scope = new ReclaimScope(call, page, receiver);
        foreach ((string name, ITypeSymbol candidate) in Scopes.VariablesAt(model, call.SpanStart))
        {
            if (finding.Contracts?.FindOnType(candidate, ContractWord.TableGather) is not null
                && GatherMethodFor(finding.Contracts, candidate, type, model.Compilation) is IMethodSymbol add
                && HasRange(call, name))
            {
                scope.Gather = name;
                scope.Method = add.Name;
                break;
            }
        }

        return scope;
    }

    // Pages on the list need a non-empty range, without which a sync throws: this body, or whoever handed the gather in, must have given one.
    private static bool HasRange(InvocationExpressionSyntax free, string gather)
    {
        SyntaxNode body = free.Ancestors().FirstOrDefault(static each =>
            StatementRange.IsNestedFunction(each) || each is MemberDeclarationSyntax and not GlobalStatementSyntax) ?? free.SyntaxTree.GetRoot();
        return body.DescendantNodes().Any(each => each.SpanStart < free.SpanStart && each switch
        {
            ParameterSyntax parameter => parameter.Identifier.ValueText == gather,
            InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax call } =>
                call.Name.Identifier.ValueText is "AddRange" or "Unmap" && call.Expression.ToString() == gather,
            ArgumentSyntax argument => argument.RefKindKeyword.IsKind(SyntaxKind.RefKeyword) && argument.Expression.ToString() == gather,
            _ => false,
        });
    }

    private static IMethodSymbol? GatherMethodFor(ContractMap map, ITypeSymbol gather, ITypeSymbol page, Compilation compilation) =>
        gather.GetMembers().OfType<IMethodSymbol>().FirstOrDefault(method =>
            method is { DeclaredAccessibility: Accessibility.Public or Accessibility.Internal, IsStatic: false, Parameters.Length: 1 }
            && method.Parameters[0].RefKind == RefKind.None
            && MemberContracts.Find(map.Of(method).Parameter(0), ContractWord.Gathers) is not null
            && compilation.ClassifyCommonConversion(page, method.Parameters[0].Type) is { IsIdentity: true } or { IsImplicit: true, IsReference: true });
}
