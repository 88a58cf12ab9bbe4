// The way out: code checked by hand, with the reason why it is right.
namespace IommuRcu.Annotations;

/// <summary>The body was checked by hand: the rules are silent in it. Its callers are still checked.</summary>
/// <param name="reason">Why the body is right although the analysis cannot see it. It must not be empty.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property | AttributeTargets.Constructor | AttributeTargets.Class | AttributeTargets.Struct, Inherited = false)]
public sealed class RcuUnsafeAttribute(string reason) : Attribute
{
    /// <summary>Why the body is right although the analysis cannot see it.</summary>
    public string Reason { get; } = reason;
}
