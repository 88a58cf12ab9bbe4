// Contracts of delegates: when they run, and in whose state.
namespace IommuRcu.Annotations;

/// <summary>The delegate runs before the call returns, in the caller's state.</summary>
[AttributeUsage(AttributeTargets.Parameter, Inherited = false, AllowMultiple = false)]
public sealed class RunsSynchronouslyAttribute : Attribute
{
}

/// <summary>On a delegate parameter: a reclaim callback, run after a grace period. On a method: only reclaim callbacks may call it.</summary>
[AttributeUsage(AttributeTargets.Parameter | AttributeTargets.Method, Inherited = false, AllowMultiple = false)]
public sealed class RunsAfterGracePeriodAttribute : Attribute
{
}
