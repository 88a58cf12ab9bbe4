// Finds the expression that opens a section of a domain, for the code fixes that wrap a walk in it.
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules;

/// <summary>The diagnostic properties of a missing section.</summary>
internal static class AcquireProperties
{
    /// <summary>Describes how to open a section.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="body">The body where it is missing.</param>
    /// <param name="table">The names of values.</param>
    /// <returns>The properties, without what is not known.</returns>
    public static ImmutableDictionary<string, string?> For(Domain domain, Body body, ValueTable table)
    {
        ImmutableDictionary<string, string?> properties = ImmutableDictionary<string, string?>.Empty
            .Add(DiagnosticProperties.RequiresAttribute, ContractWords.AttributeNamespace + ".RequiresReadLockAttribute");
        INamedTypeSymbol? type = domain.Type as INamedTypeSymbol
            ?? (domain.Kind == DomainKind.Any ? body.Map.Compilation.GetTypeByMetadataName("IommuRcu.Rcu") : null);
        if (type is null)
        {
            return properties;
        }

        if (domain.Kind == DomainKind.Type)
        {
            properties = properties.Add(DiagnosticProperties.RequiresArguments, "DomainType = typeof(" + type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat) + ")");
        }

        // A guard closes itself; without one there must be a call that closes.
        IMethodSymbol? acquire = type.GetMembers().OfType<IMethodSymbol>().OrderByDescending(m => body.Map.Scope(m.ReturnType) is not null).FirstOrDefault(m => m.Parameters.IsEmpty && m.IsStatic == (domain.Kind != DomainKind.Receiver) && body.Map.Of(m).Find(ContractWord.AcquiresReadLock) is { When: null });
        string? receiver = domain.Kind == DomainKind.Receiver ? ReceiverOf(domain.Receiver, table) : type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);
        if (acquire is null || receiver is null)
        {
            return properties;
        }

        if (body.Map.Scope(acquire.ReturnType) is not null)
        {
            return properties.Add(DiagnosticProperties.AcquireExpression, receiver + "." + acquire.Name + "()");
        }

        IMethodSymbol? release = type.GetMembers().OfType<IMethodSymbol>()
            .FirstOrDefault(m => m.Parameters.IsEmpty && m.IsStatic == acquire.IsStatic && body.Map.Of(m).Find(ContractWord.ReleasesReadLock) is { When: null });
        return release is null ? properties : properties
            .Add(DiagnosticProperties.AcquireExpression, receiver + "." + acquire.Name + "()")
            .Add(DiagnosticProperties.ReleaseExpression, receiver + "." + release.Name + "()");
    }

    /// <summary>Spells a value that has a name.</summary>
    /// <param name="value">The value.</param>
    /// <param name="table">The names of values.</param>
    /// <returns>The expression, or none.</returns>
    public static string? ReceiverOf(int value, ValueTable table)
    {
        ValueInfo info = table.Info(value);
        if (info.Kind == ValueKind.This)
        {
            return "this";
        }

        if (info.Kind != ValueKind.Initial)
        {
            return null;
        }

        SlotInfo slot = table.SlotInfo(info.A);
        return slot.Symbol is null ? null
            : slot.Index == 0 ? slot.Symbol.IsStatic && slot.Symbol.ContainingType is { } type ? type.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat) + "." + slot.Symbol.Name : slot.Symbol.Name
            : ReceiverOf(slot.Index, table) is { } owner ? (owner == "this" ? string.Empty : owner + ".") + slot.Symbol.Name
            : null;
    }
}
