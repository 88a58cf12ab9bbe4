// The variables that code can name at a place.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Looks around.</summary>
internal static class Scopes
{
    /// <summary>Gets locals and parameters first, then the members of this; a local is in scope only after its declaration.</summary>
    public static IEnumerable<(string Name, ITypeSymbol Type)> VariablesAt(SemanticModel model, int position)
    {
        bool isStatic = model.GetEnclosingSymbol(position) is { IsStatic: true };
        foreach (ISymbol symbol in model.LookupSymbols(position).OrderBy(static each => each is ILocalSymbol ? 0 : each is IParameterSymbol ? 1 : 2))
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
}
