// What a direct free looks like and what is around it: the page, who frees it, a gather or a domain in scope.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>A direct free, seen from where it stands.</summary>
internal sealed class ReclaimScope
{
    public const string GatherType = "IommuRcu.IotlbGather";
    public const string DomainType = "IommuRcu.IommuDomain";
    public const string RcuType = "IommuRcu.Rcu";
    private const string TableGatherAttribute = "IommuRcu.Annotations.TableGatherAttribute";
    private const string GathersAttribute = "IommuRcu.Annotations.GathersAttribute";

    private ReclaimScope(InvocationExpressionSyntax call, string page)
    {
        Call = call;
        Page = page;
    }

    /// <summary>Gets the call that frees.</summary>
    public InvocationExpressionSyntax Call { get; }

    /// <summary>Gets the expression of the page.</summary>
    public string Page { get; }

    /// <summary>Gets the receiver of the call as written; null where it has none, or a type.</summary>
    public string? Receiver => ReceiverSyntax?.ToString();

    /// <summary>Gets the receiver of the call.</summary>
    public ExpressionSyntax? ReceiverSyntax { get; private set; }

    /// <summary>Gets whether the page frees itself (<c>page.Release()</c>).</summary>
    public bool IsPageReceiver { get; private set; }

    /// <summary>Gets a gather in scope that takes the page.</summary>
    public string? Gather { get; private set; }

    /// <summary>Gets the method that puts a page on the gather.</summary>
    public string Method { get; private set; } = "Add";

    /// <summary>Gets a domain in scope on which a gather can be begun.</summary>
    public string? Domain { get; private set; }

    /// <summary>Looks around a finding; null where the free is not a statement of its own.</summary>
    public static ReclaimScope? Of(Finding finding)
    {
        InvocationExpressionSyntax? call = finding.Node.FirstAncestorOrSelf<InvocationExpressionSyntax>();
        if (call?.Parent is not ExpressionStatementSyntax)
        {
            return null;
        }

        SemanticModel model = finding.Model;
        ExpressionSyntax? receiver = call.Expression is MemberAccessExpressionSyntax access
            && model.GetSymbolInfo(access.Expression).Symbol is not (INamedTypeSymbol or INamespaceSymbol) ? access.Expression : null;
        ExpressionSyntax? argument = call.ArgumentList.Arguments.FirstOrDefault()?.Expression;
        ExpressionSyntax? page = argument ?? receiver;
        if ((finding.Property(DiagnosticProperties.Page) ?? page?.ToString()) is not string text)
        {
            return null;
        }

        var scope = new ReclaimScope(call, text) { ReceiverSyntax = receiver, IsPageReceiver = argument is null };
        if (page is null || model.GetTypeInfo(page).Type is not ITypeSymbol type)
        {
            return scope;
        }

        if (finding.Property(DiagnosticProperties.Gather) is string known)
        {
            scope.Gather = known;
            scope.Method = finding.Property(DiagnosticProperties.GatherMethod) ?? scope.Method;
            return scope;
        }

        int position = call.SpanStart;
        foreach ((string name, ITypeSymbol candidate) in VariablesInScope(model, position))
        {
            if (GatherMethodFor(candidate, type, model.Compilation) is not IMethodSymbol method)
            {
                continue;
            }

            scope.Gather = name;
            scope.Method = method.Name;
            return scope;
        }

        if (finding.Type(GatherType) is INamedTypeSymbol gather
            && GatherMethodFor(gather, type, model.Compilation) is not null
            && finding.Type(DomainType) is INamedTypeSymbol domain)
        {
            List<string> domains = [.. VariablesInScope(model, position)
                .Where(each =>
                    model.Compilation.ClassifyConversion(
                        each.Type, domain) is { IsIdentity: true } or { IsImplicit: true, IsReference: true })
                .Select(each => each.Name)];

            // Two domains in scope: the fix cannot know which one the page belonged to.
            scope.Domain = domains.Count == 1 ? domains[0] : null;
        }

        return scope;
    }

    // Locals and parameters first, then the members of this; a local is in scope only after its declaration.
    private static IEnumerable<(string Name, ITypeSymbol Type)> VariablesInScope(SemanticModel model, int position)
    {
        IEnumerable<ISymbol> symbols = model.LookupSymbols(position);
        bool isStatic = model.GetEnclosingSymbol(position) is { IsStatic: true };
        foreach (ISymbol symbol in symbols.OrderBy(each => each is ILocalSymbol ? 0 : each is IParameterSymbol ? 1 : 2))
        {
            switch (symbol)
            {
                case ILocalSymbol local when local.Locations.All(location => location.SourceSpan.End < position):
                    yield return (local.Name, local.Type);
                    break;
                case IParameterSymbol { RefKind: not (RefKind.Out or RefKind.In) } parameter:
                    yield return (parameter.Name, parameter.Type);
                    break;
                case IFieldSymbol field when field.IsStatic || !isStatic:
                    yield return (field.Name, field.Type);
                    break;
                case IPropertySymbol { GetMethod: not null, IsIndexer: false } property when property.IsStatic || !isStatic:
                    yield return (property.Name, property.Type);
                    break;
            }
        }
    }

    private static IMethodSymbol? GatherMethodFor(ITypeSymbol gather, ITypeSymbol page, Compilation compilation)
    {
        if (!gather.GetAttributes().Any(each => each.AttributeClass?.ToDisplayString() == TableGatherAttribute))
        {
            return null;
        }

        return gather.GetMembers().OfType<IMethodSymbol>().FirstOrDefault(method =>
            method is { DeclaredAccessibility: Accessibility.Public or Accessibility.Internal, IsStatic: false, Parameters.Length: 1 }
            && method.Parameters[0].RefKind == RefKind.None
            && method.Parameters[0].GetAttributes().Any(each => each.AttributeClass?.ToDisplayString() == GathersAttribute)
            && compilation.ClassifyConversion(
                page, method.Parameters[0].Type) is { IsIdentity: true } or { IsImplicit: true, IsReference: true });
    }
}
