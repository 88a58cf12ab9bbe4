// IRCU094: a public member that hands its caller a protected value, and does not say so.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Contracts;

/// <summary>Reports public members whose contract is silent about what they return.</summary>
internal sealed class ProtectedPointerInPublicApi : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.ProtectedPointerInPublicApi);

    /// <inheritdoc/>
    public override void Escape(FlowPoint point, IOperation value, WayOut way, IReadOnlyList<Seen<int>> seen)
    {
        IMethodSymbol? method = point.Body.Method;
        if (way.Kind == WayOutKind.Returned && method is { MethodKind: MethodKind.Ordinary or MethodKind.PropertyGet } && IsVisible(method)
            && (point.Body.Contracts.Result.IsDefaultOrEmpty || MemberContracts.Find(point.Body.Contracts.Result, ContractWord.RcuProtected) is null)
            && point.Body.Map.FindOnType(method.ReturnType, ContractWord.RcuProtected) is null
            && seen.Count > 0 && Verdict.All(point, seen, IsCallers))
        {
            Findings.Report(Descriptors[0], method.Locations[0], new[] { value }, Properties(method, seen[0]), method.AssociatedSymbol?.Name ?? method.Name);
        }
    }

    private static ImmutableDictionary<string, string?> Properties(IMethodSymbol method, Seen<int> seen)
    {
        int id = seen.State.FactsOf(seen.Value).Section;
        Section section = seen.State.Sections.First(s => s.Id == id);
        string domain = section.Domain is { Kind: DomainKind.Type, Type: { } type } ? "(DomainType = typeof(" + type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat) + "))" : string.Empty;
        string target = method.MethodKind == MethodKind.Ordinary ? "return: " : string.Empty;
        return ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Attribute, target + ContractWords.AttributeNamespace + ".RcuProtected" + domain);
    }

    // Read in the section of the caller, who goes on holding it.
    private static bool IsCallers(Seen<int> seen)
        => seen.State.FactsOf(seen.Value) is { Origin: OriginKind.Open, Holder: Holder.None, IsBound: false, Section: var id } && seen.State.Sections.Any(s => s.Id == id && s.Kind != SectionKind.Opened);

    private static bool IsVisible(ISymbol symbol)
    {
        for (ISymbol? s = symbol; s is not null and not INamespaceSymbol; s = s.ContainingSymbol)
        {
            if (s.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal))
            {
                return false;
            }
        }

        return true;
    }
}
