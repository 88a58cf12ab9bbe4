// Contracts of guard types: a value that stands for an open section, and a pin that must be given back.
namespace IommuRcu.Annotations;

/// <summary>A guard: the section lasts from the call that returned the value until it is disposed.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, Inherited = false, AllowMultiple = false)]
public sealed class ReadLockScopeAttribute : Attribute
{
    /// <summary>A <see langword="default"/> value of the type is legal, opens nothing and closes nothing.</summary>
    public bool DefaultIsInert { get; set; }
}

/// <summary>A pin: while a value of the type lives, the memory it stands on stays. It must be disposed on every path.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Interface, Inherited = false, AllowMultiple = false)]
public sealed class MustDisposeAttribute : Attribute
{
}
