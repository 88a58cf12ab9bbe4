// Reads contracts from attributes, matched by full name wherever they are declared.
using System.Collections.Generic;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Contracts;

/// <summary>Turns attributes into contracts.</summary>
internal static class AttributeReader
{
    /// <summary>Reads the contracts in a list of attributes.</summary>
    /// <param name="attributes">The attributes.</param>
    /// <param name="into">Receives the contracts; created where there is one.</param>
    public static void Read(ImmutableArray<AttributeData> attributes, ref List<Contract>? into)
    {
        foreach (AttributeData attribute in attributes)
        {
            if (attribute.AttributeClass is { } type && WordOf(type) is var word && word != ContractWord.None)
            {
                (into ??= new List<Contract>()).Add(Read(word, attribute));
            }
        }
    }

    /// <summary>Gets the word that an attribute class stands for.</summary>
    /// <param name="type">The attribute class.</param>
    /// <returns>The word, or none.</returns>
    public static ContractWord WordOf(INamedTypeSymbol type)
        => ContractWords.ByAttributeName.TryGetValue(type.Name, out ContractWord word) && IsAnnotations(type.ContainingNamespace)
            ? word
            : ContractWord.None;

    private static bool IsAnnotations(INamespaceSymbol? space)
        => space is { Name: "Annotations", ContainingNamespace: { Name: "IommuRcu", ContainingNamespace.IsGlobalNamespace: true } };

    private static Contract Read(ContractWord word, AttributeData attribute)
    {
        var contract = new Contract(word)
        {
            Location = attribute.ApplicationSyntaxReference is { } reference
                ? Location.Create(reference.SyntaxTree, reference.Span)
                : null,
        };
        foreach (KeyValuePair<string, TypedConstant> argument in attribute.NamedArguments)
        {
            object? value = argument.Value.Kind == TypedConstantKind.Array ? null : argument.Value.Value;
            contract = argument.Key switch
            {
                "When" => contract with { When = value as bool? },
                "WhenParameter" => contract with { WhenParameter = value as string },
                "ElseHeld" => contract with { ElseHeld = value is true },
                "Sleepable" => contract with { Sleepable = value is true },
                "DefaultIsInert" => contract with { DefaultIsInert = value is true },
                "Domain" => contract with { Domain = value as string },
                "DomainType" => contract with { DomainType = value as ITypeSymbol },
                "Lock" or "Or" => contract with { Lock = value as string },
                _ => contract,
            };
        }

        if (word == ContractWord.RcuUnsafe && attribute.ConstructorArguments.Length > 0 && attribute.ConstructorArguments[0] is { Kind: not TypedConstantKind.Array } reason)
        {
            contract = contract with { Reason = reason.Value as string };
        }

        // A WhenParameter alone speaks of the value true.
        return contract is { WhenParameter: not null, When: null } ? contract with { When = true } : contract;
    }
}
