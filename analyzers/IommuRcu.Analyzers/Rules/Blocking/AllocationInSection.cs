// IRCU025: an allocation on the managed heap inside a section.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Blocking;

/// <summary>Reports allocations inside sections that are to be short.</summary>
internal sealed class AllocationInSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.AllocationInSection);

    /// <inheritdoc/>
    public override bool WatchesAllocations => true;

    /// <inheritdoc/>
    public override void Allocate(FlowPoint point, string what, IReadOnlyList<State> states)
    {
        // One that may sleep is none of the short ones.
        if (states.Count > 0 && Verdict.All(point, states.Select(static s => new Seen<Section?>(s, Sections.ThreadBound(s))).ToList(), static s => s.Value is not null))
        {
            Section section = Sections.ThreadBound(states[0])!;
            Findings.Report(Descriptors[0], point.Operation.Syntax.GetLocation(), new[] { section.Opener }, null, what, NameOf(section.Domain, point.Body.Table));
        }
    }
}
