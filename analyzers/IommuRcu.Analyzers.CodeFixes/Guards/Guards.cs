// What the types of guards allow: a using, or only a call by hand.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Looks at the types of guards.</summary>
internal static class Guards
{
    /// <summary>Says whether a using statement accepts a value of a type.</summary>
    public static bool CanBeUsed(ITypeSymbol? type, SemanticModel model, int position)
    {
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable)
        {
            type = nullable.TypeArguments[0];
        }

        if (type is null or IErrorTypeSymbol)
        {
            return false;
        }

        return type.AllInterfaces.Any(static each => each.SpecialType == SpecialType.System_IDisposable)
            || type.SpecialType == SpecialType.System_IDisposable
            || (type.IsRefLikeType && model.LookupSymbols(position, type, "Dispose").OfType<IMethodSymbol>()
                .Any(static each => each is { Parameters.IsEmpty: true, ReturnsVoid: true, IsStatic: false }));
    }
}
