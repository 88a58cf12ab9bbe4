// What an unannotated helper leaves to its callers.
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>What kind of thing a helper leaves to its callers.</summary>
internal enum NeedKind : byte
{
    /// <summary>An open section.</summary>
    Section,

    /// <summary>A writer lock.</summary>
    Lock,

    /// <summary>That no section is open: it waits for a grace period.</summary>
    Wait,

    /// <summary>That no section is open: it blocks.</summary>
    Block,
}

/// <summary>Something that a helper leaves to its callers.</summary>
/// <param name="Kind">What.</param>
/// <param name="Domain">The domain, as far as a type names it.</param>
/// <param name="Path">The object that is the domain, or the lock; none where it is not known.</param>
/// <param name="Name">What needs it, waits or blocks in the helper.</param>
/// <param name="Member">The member that needs the lock.</param>
/// <param name="Contract">The contract that says so.</param>
internal sealed record InferredNeed(NeedKind Kind, Domain Domain, ValuePath? Path, string Name, ISymbol? Member, Contract? Contract)
{
    /// <summary>Tells whether another need asks for the same.</summary>
    /// <param name="other">The other need.</param>
    /// <returns>Whether it does.</returns>
    public bool IsSame(InferredNeed other)
        => Kind == other.Kind && Domain.Kind == other.Domain.Kind && SymbolEqualityComparer.Default.Equals(Domain.Type, other.Domain.Type)
            && (Path is null ? other.Path is null : Path.Equals(other.Path));
}
