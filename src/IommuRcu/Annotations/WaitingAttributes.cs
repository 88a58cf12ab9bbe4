// Contracts of what waits: for a grace period, or for anything at all.
namespace IommuRcu.Annotations;

/// <summary>Waits for a grace period: inside a section of that domain it would wait for itself; after it, everything unlinked before may be freed.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Constructor, Inherited = false, AllowMultiple = false)]
public sealed class WaitsForGracePeriodAttribute : Attribute
{
    /// <summary>Names the domain by a member or parameter whose value it is; <see langword="null"/> when not given.</summary>
    public string? Domain { get; set; }

    /// <summary>Names the domain by the type that acquires it; <see langword="null"/> when not given.</summary>
    public Type? DomainType { get; set; }
}

/// <summary>May block for longer than a section should stay open.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Constructor, Inherited = false, AllowMultiple = false)]
public sealed class MayBlockAttribute : Attribute
{
    /// <summary>Names the domain by a member or parameter whose value it is; <see langword="null"/> when not given.</summary>
    public string? Domain { get; set; }

    /// <summary>Names the domain by the type that acquires it; <see langword="null"/> when not given.</summary>
    public Type? DomainType { get; set; }
}
