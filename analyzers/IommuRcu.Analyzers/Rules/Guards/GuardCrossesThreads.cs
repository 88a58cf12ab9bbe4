// IRCU036: the guard of a thread-bound section in the hands of another thread.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports guards that another thread gets hold of.</summary>
internal sealed class GuardCrossesThreads : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.GuardCrossesThreads);

    /// <inheritdoc/>
    public override void Escape(FlowPoint point, IOperation value, WayOut way, IReadOnlyList<Seen<int>> seen)
    {
        if (way.Kind == WayOutKind.HandedToThread && seen.Count > 0 && Verdict.All(point, seen, IsBoundToThread))
        {
            Report(point.Operation, seen[0].State.FactsOf(seen[0].Value).OriginSite, null, Names.Of(value), way.Where);
        }
    }

    private static bool IsBoundToThread(Seen<int> seen)
        => seen.State.FactsOf(seen.Value) is { Holder: Holder.GuardOpen, Section: var id } && seen.State.Sections.Any(s => s.Id == id && !s.Sleepable);
}
