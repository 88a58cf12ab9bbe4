// IRCU023: an await or yield inside a section that belongs to the thread.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Blocking;

/// <summary>Reports suspension inside thread-bound sections.</summary>
internal sealed class SuspensionInSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.SuspensionInSection);

    /// <inheritdoc/>
    public override void Suspend(FlowPoint point, IReadOnlyList<State> states)
    {
        List<Seen<bool>> seen = states.Select(static s => new Seen<bool>(s, s.Sections.Any(static o => !o.Sleepable))).ToList();
        if (Verdict.Of(point, seen, static s => s.Value, out Seen<bool> wrong) >= Certainty.Definite)
        {
            Section open = Sections.ThreadBound(wrong.State)!;
            Report(point.Operation, open.Opener, null, point.Operation is IAwaitOperation ? "await" : "yield", NameOf(open.Domain, point.Body.Table));
        }
    }
}
