// Domains, and the read-side sections that are open on them.
using System;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>How a domain is told from others.</summary>
internal enum DomainKind : byte
{
    /// <summary>Nothing names it: any open section counts.</summary>
    Any,

    /// <summary>The type that opens sections is the domain.</summary>
    Type,

    /// <summary>Each object that opens sections is a domain.</summary>
    Receiver,
}

/// <summary>An RCU domain: what a section protects, and what a grace period waits for.</summary>
internal readonly struct Domain : IEquatable<Domain>
{
    public static readonly Domain Any;

    private Domain(DomainKind kind, ITypeSymbol? type, int receiver)
    {
        Kind = kind;
        Type = type;
        Receiver = receiver;
    }

    /// <summary>Gets how the domain is told from others.</summary>
    public DomainKind Kind { get; }

    /// <summary>Gets the type: of the domain itself, or of the receiver.</summary>
    public ITypeSymbol? Type { get; }

    /// <summary>Gets the value that is the receiver.</summary>
    public int Receiver { get; }

    public static Domain Of(ITypeSymbol type) => new(DomainKind.Type, type.OriginalDefinition, 0);

    public static Domain Of(int receiver, ITypeSymbol? type) => new(DomainKind.Receiver, type?.OriginalDefinition, receiver);

    /// <inheritdoc/>
    public bool Equals(Domain other)
        => Kind == other.Kind && Receiver == other.Receiver
            && (Kind != DomainKind.Type || SymbolEqualityComparer.Default.Equals(Type, other.Type));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Domain other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ((int)Kind * 397) ^ Receiver;
}

/// <summary>Where a section came from.</summary>
internal enum SectionKind : byte
{
    /// <summary>Opened in this body, and to be closed in it.</summary>
    Opened,

    /// <summary>The caller's.</summary>
    Entry,

    /// <summary>Known from an assertion.</summary>
    Asserted,
}

/// <summary>An open section.</summary>
/// <param name="Id">The value that stands for the section; values read in it refer to it.</param>
/// <param name="Domain">What it protects.</param>
/// <param name="Kind">Where it came from.</param>
/// <param name="Sleepable">Whether it may sleep.</param>
/// <param name="Opener">The call that opened it.</param>
/// <param name="Guard">The guard type that closes it; none where a call does.</param>
internal sealed record Section(int Id, Domain Domain, SectionKind Kind, bool Sleepable, IOperation? Opener, ITypeSymbol? Guard);

/// <summary>A need for an open section.</summary>
/// <param name="Domain">The domain.</param>
/// <param name="Name">What needs it.</param>
/// <param name="Lock">The value of the writer lock that serves as well; 0 for none.</param>
/// <param name="Contract">The contract that says so, if one does.</param>
internal sealed record Need(Domain Domain, string Name, int Lock, Contract? Contract)
{
    /// <summary>Gets whether the need comes from an inferred helper rather than a contract.</summary>
    public IMethodSymbol? Helper { get; init; }

    /// <summary>Gets the bound among the arguments that was read outside the open section.</summary>
    public IOperation? Stale { get; init; }

    /// <summary>Gets the object whose member is meant; 0 for none.</summary>
    public int Owner { get; init; }
}
