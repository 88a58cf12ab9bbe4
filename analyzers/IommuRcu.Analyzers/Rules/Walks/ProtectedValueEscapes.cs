// IRCU004: a protected value that outlives its section.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports protected values that are returned, stored, given out or captured.</summary>
internal sealed class ProtectedValueEscapes : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.ProtectedValueEscapes);

    /// <inheritdoc/>
    public override void Escape(FlowPoint point, IOperation value, WayOut way, IReadOnlyList<Seen<int>> seen)
    {
        bool returned = way.Kind == WayOutKind.Returned;
        if (returned && HasContract(point.Body))
        {
            return;
        }

        if (Verdict.Of(point, seen, s => Escapes(s, returned), out Seen<int> wrong) >= Certainty.Definite)
        {
            IOperation at = way.IsCapture ? point.Operation : value;
            Report(at, wrong.State.FactsOf(wrong.Value).OriginSite, null, Names.Of(value), "is " + way);
        }
    }

    private static bool HasContract(Body body)
        => (body.Contracts.ResultWords & ContractWord.RcuProtected) != 0
            || body.Method is { } method && (body.Map.FindOnType(method.ReturnType, ContractWord.RcuProtected) is not null || body.Role is BodyRole.Synchronous or BodyRole.Helper);

    // The caller's own section is still open when the value comes back to it.
    private static bool Escapes(Seen<int> seen, bool returned)
    {
        Facts facts = seen.State.FactsOf(seen.Value);
        if (facts.Carries != 0)
        {
            return seen.State.Sections.FirstOrDefault(s => s.Id == facts.Carries) is { } open && (!returned || open.Kind == SectionKind.Opened);
        }

        return facts.Origin == OriginKind.Open && facts.Holder == Holder.None && !facts.IsBound && seen.State.RangeOf(seen.Value).Single != 0
            && facts.Reclaim is Flow.Reclaim.None or Flow.Reclaim.Published
            && (!returned || seen.State.Sections.FirstOrDefault(s => s.Id == facts.Section) is { Kind: SectionKind.Opened });
    }
}
