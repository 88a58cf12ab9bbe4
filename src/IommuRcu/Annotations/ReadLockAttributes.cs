// Contracts of read-side sections: who needs one, who opens, closes, refreshes and asserts one.
namespace IommuRcu.Annotations;

/// <summary>Callers must be inside a read-side section.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Constructor | AttributeTargets.Delegate, Inherited = false, AllowMultiple = false)]
public sealed class RequiresReadLockAttribute : Attribute
{
    /// <summary>A writer lock that serves instead of a section: the name of the member or parameter that holds it.</summary>
    public string? Or { get; set; }

    /// <summary>Names the domain by a member or parameter whose value it is; <see langword="null"/> when not given.</summary>
    public string? Domain { get; set; }

    /// <summary>Names the domain by the type that acquires it; <see langword="null"/> when not given.</summary>
    public Type? DomainType { get; set; }
}

/// <summary>The call opens a read-side section.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class AcquiresReadLockAttribute : Attribute
{
    /// <summary>The method's <see langword="bool"/> result (or the parameter named by <see cref="WhenParameter"/>) for which the contract holds. Without it the contract holds always.</summary>
    public bool When { get; set; }

    /// <summary>The <see langword="bool"/> or <see langword="out"/> parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; set; }

    /// <summary>When <see cref="When"/> does not hold, a section was open already: the enter-if-not-held form.</summary>
    public bool ElseHeld { get; set; }

    /// <summary>The section may sleep and await, as an SRCU section may.</summary>
    public bool Sleepable { get; set; }

    /// <summary>Names the domain by a member or parameter whose value it is; <see langword="null"/> when not given.</summary>
    public string? Domain { get; set; }

    /// <summary>Names the domain by the type that acquires it; <see langword="null"/> when not given.</summary>
    public Type? DomainType { get; set; }
}

/// <summary>The call closes a read-side section.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class ReleasesReadLockAttribute : Attribute
{
    /// <summary>The method's <see langword="bool"/> result (or the parameter named by <see cref="WhenParameter"/>) for which the contract holds. Without it the contract holds always.</summary>
    public bool When { get; set; }

    /// <summary>The <see langword="bool"/> or <see langword="out"/> parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; set; }

    /// <summary>When <see cref="When"/> does not hold, a section was open already: the enter-if-not-held form.</summary>
    public bool ElseHeld { get; set; }

    /// <summary>The section may sleep and await, as an SRCU section may.</summary>
    public bool Sleepable { get; set; }

    /// <summary>Names the domain by a member or parameter whose value it is; <see langword="null"/> when not given.</summary>
    public string? Domain { get; set; }

    /// <summary>Names the domain by the type that acquires it; <see langword="null"/> when not given.</summary>
    public Type? DomainType { get; set; }
}

/// <summary>The call closes its caller's section and opens another: protected values from before it are dead.</summary>
[AttributeUsage(AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class RefreshesReadLockAttribute : Attribute
{
    /// <summary>Names the domain by a member or parameter whose value it is; <see langword="null"/> when not given.</summary>
    public string? Domain { get; set; }

    /// <summary>Names the domain by the type that acquires it; <see langword="null"/> when not given.</summary>
    public Type? DomainType { get; set; }
}

/// <summary>Checks at run time that a section is open, and proves it to the analysis. On a member that returns <see langword="bool"/> it is a query: the proof holds on its true branch.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property, Inherited = false, AllowMultiple = false)]
public sealed class AssertsReadLockAttribute : Attribute
{
    /// <summary>Names the domain by a member or parameter whose value it is; <see langword="null"/> when not given.</summary>
    public string? Domain { get; set; }

    /// <summary>Names the domain by the type that acquires it; <see langword="null"/> when not given.</summary>
    public Type? DomainType { get; set; }
}

/// <summary>Callers may or may not be inside a section: the body must be right in both cases.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Constructor, Inherited = false, AllowMultiple = false)]
public sealed class MayHoldReadLockAttribute : Attribute
{
    /// <summary>Names the domain by a member or parameter whose value it is; <see langword="null"/> when not given.</summary>
    public string? Domain { get; set; }

    /// <summary>Names the domain by the type that acquires it; <see langword="null"/> when not given.</summary>
    public Type? DomainType { get; set; }
}
