// Contracts of writers: the lock that updates need.
namespace IommuRcu.Annotations;

/// <summary>The caller holds the named writer lock.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Constructor, Inherited = false, AllowMultiple = false)]
public sealed class RequiresWriterLockAttribute : Attribute
{
    /// <summary>The name of the member or parameter that is the lock.</summary>
    public string? Lock { get; set; }
}
