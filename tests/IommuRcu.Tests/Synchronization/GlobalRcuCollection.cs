// Tests that change process-wide settings of Rcu, or hold its readers up on purpose: run one at a time, beside nothing else.
namespace IommuRcu.Tests.Synchronization;

/// <summary>The collection of those tests.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class GlobalRcuCollection
{
    internal const string Name = "process-wide RCU";
}
