// A value as a function's callers can name it: from the object, an argument, a variable around it or a static, along members.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A way to a value that does not hang on the names of one body.</summary>
internal sealed class ValuePath
{
    private ValuePath(ISymbol? root, IReadOnlyList<ISymbol> members)
    {
        Root = root;
        Members = members;
    }

    /// <summary>Gets the parameter, variable or static member that the way begins at; none for the object itself.</summary>
    public ISymbol? Root { get; }

    /// <summary>Gets the members along the way.</summary>
    public IReadOnlyList<ISymbol> Members { get; }

    /// <summary>Finds the way to a value.</summary>
    /// <param name="value">The value.</param>
    /// <param name="table">The names of the body that it is known in.</param>
    /// <returns>The way; none where the value is made in the body.</returns>
    public static ValuePath? Of(int value, ValueTable table)
    {
        var members = new Stack<ISymbol>();
        while (true)
        {
            ValueInfo info = table.Info(value);
            if (info.Kind == ValueKind.This)
            {
                return new ValuePath(null, members.ToList());
            }

            if (info.Kind != ValueKind.Initial || table.SlotInfo(info.A) is not { Symbol: { } symbol } slot)
            {
                return null;
            }

            if (slot.Index == 0)
            {
                return new ValuePath(symbol, members.ToList());
            }

            members.Push(symbol);
            value = slot.Index;
        }
    }

    /// <summary>Gets the way from the object itself, where this one begins at an object that a function is given.</summary>
    /// <param name="type">The type of the object itself.</param>
    /// <returns>The way; the same one where it begins elsewhere, or at an object of another type.</returns>
    public ValuePath OfState(INamedTypeSymbol type)
        => Root is IParameterSymbol && Members.Count > 0 && SymbolEqualityComparer.Default.Equals(Members[0].ContainingType.OriginalDefinition, type.OriginalDefinition)
            ? new ValuePath(null, Members)
            : this;

    /// <summary>Tells whether another way is the same.</summary>
    /// <param name="other">The other way.</param>
    /// <returns>Whether it is.</returns>
    public bool Equals(ValuePath? other)
        => other is not null && SymbolEqualityComparer.Default.Equals(Root, other.Root) && Members.SequenceEqual(other.Members, SymbolEqualityComparer.Default);
}
