// Contracts of data: what is valid only inside the section it was read in, and the bounds of such data.
namespace IommuRcu.Annotations;

/// <summary>The value is valid only inside the read-side section in which it was read.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property | AttributeTargets.ReturnValue | AttributeTargets.Parameter | AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, Inherited = false, AllowMultiple = false)]
public sealed class RcuProtectedAttribute : Attribute
{
    /// <summary>The writer lock under which the value is valid as well: the name of the member or parameter that holds it.</summary>
    public string? Lock { get; set; }

    /// <summary>Names the domain by a member or parameter whose value it is; <see langword="null"/> when not given.</summary>
    public string? Domain { get; set; }

    /// <summary>Names the domain by the type that acquires it; <see langword="null"/> when not given.</summary>
    public Type? DomainType { get; set; }
}

/// <summary>A bound of protected memory (a head, tail or length): read before the section opened, it must not decide what is walked in it.</summary>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property | AttributeTargets.ReturnValue, Inherited = false, AllowMultiple = false)]
public sealed class RcuBoundAttribute : Attribute
{
}
