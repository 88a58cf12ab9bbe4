// IRCU012: a bound of protected memory that was read before the section opened, and decides what is walked in it.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports walks that a stale bound decides.</summary>
internal sealed class BoundSampledOutsideSection : Rule
{
    private HashSet<IOperation> _told = new();

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.BoundSampledOutsideSection);

    /// <inheritdoc/>
    public override void Need(FlowPoint point, IReadOnlyList<Seen<Need>> seen)
    {
        foreach (Seen<Need> one in seen)
        {
            if ((one.State.StaleBound ?? one.Value.Stale) is { } stale && _told.Add(stale))
            {
                Report(point.Operation, stale, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Variable, Names.Of(stale)), Names.Of(stale), one.Value.Name);
                return;
            }
        }
    }

    /// <inheritdoc/>
    protected override void Begin() => _told = new HashSet<IOperation>();

    /// <inheritdoc/>
    public override void ReadProtected(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<Need>> seen) => Need(point, seen);
}
