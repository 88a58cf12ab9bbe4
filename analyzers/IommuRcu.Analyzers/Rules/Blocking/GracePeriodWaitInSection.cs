// IRCU020: a wait for a grace period inside a section of the same domain waits for itself.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Blocking;

/// <summary>Reports grace-period waits inside sections.</summary>
internal sealed class GracePeriodWaitInSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.GracePeriodWaitInSection);

    /// <inheritdoc/>
    public override void Wait(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
        if (Verdict.Of(point, seen, static s => Blocking(s) is not null, out Seen<Domain> wrong) >= Certainty.Definite)
        {
            Section open = Blocking(wrong)!;
            Report(point.Operation, open.Opener, null, method.Name, NameOf(open.Domain, point.Body.Table));
        }
    }

    private static Section? Blocking(Seen<Domain> seen)
        => seen.State.Sections.FirstOrDefault(s => Sections.Protects(s, seen.Value, seen.State) == true);
}
