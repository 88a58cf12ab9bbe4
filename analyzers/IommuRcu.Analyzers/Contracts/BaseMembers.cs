// Finds the members whose contract a member takes over: what it overrides, and the interface members that it implements.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Contracts;

/// <summary>Walks from a member to its base members.</summary>
internal static class BaseMembers
{
    /// <summary>Lists the members that a member overrides or implements.</summary>
    /// <param name="symbol">The member.</param>
    /// <returns>The overridden member and all implemented interface members.</returns>
    public static IEnumerable<ISymbol> Of(ISymbol symbol)
    {
        switch (symbol)
        {
            case IMethodSymbol { OverriddenMethod: { } method }:
                yield return method;
                break;
            case IPropertySymbol { OverriddenProperty: { } property }:
                yield return property;
                break;
        }

        if (symbol.IsStatic && !symbol.IsAbstract && symbol.ContainingType is not { AllInterfaces.IsEmpty: false })
        {
            yield break;
        }

        IEnumerable<ISymbol> direct = symbol switch
        {
            IMethodSymbol { ExplicitInterfaceImplementations: { IsEmpty: false } methods } => methods,
            IPropertySymbol { ExplicitInterfaceImplementations: { IsEmpty: false } properties } => properties,
            _ => Implicit(symbol),
        };
        foreach (ISymbol implemented in direct)
        {
            yield return implemented;
        }
    }

    private static IEnumerable<ISymbol> Implicit(ISymbol symbol)
    {
        if (symbol is not (IMethodSymbol { MethodKind: MethodKind.Ordinary } or IPropertySymbol)
            || symbol.DeclaredAccessibility != Accessibility.Public
            || symbol.ContainingType is not { TypeKind: TypeKind.Class or TypeKind.Struct } type)
        {
            yield break;
        }

        foreach (INamedTypeSymbol implemented in type.AllInterfaces)
        {
            foreach (ISymbol member in implemented.GetMembers(symbol.Name))
            {
                if (SymbolEqualityComparer.Default.Equals(type.FindImplementationForInterfaceMember(member), symbol))
                {
                    yield return member;
                }
            }
        }
    }
}
