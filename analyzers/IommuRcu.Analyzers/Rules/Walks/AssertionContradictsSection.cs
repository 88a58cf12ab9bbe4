// IRCU010: an assertion that a section is open, where none can be.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports assertions that fail whenever they run.</summary>
internal sealed class AssertionContradictsSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.AssertionContradictsSection);

    /// <inheritdoc/>
    public override void Assert(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
        // A question has two answers; an assertion has one.
        if (method.ReturnType.SpecialType == SpecialType.System_Boolean)
        {
            return;
        }

        bool callback = point.Body.IsCallback;
        if (seen.Count > 0 && Verdict.All(point, seen, s => Sections.Answer(s.State, new Need(s.Value, method.Name, 0, null)) == Answer.Closed && (callback || s.State.HasClosed)))
        {
            IOperation? closed = seen.Select(static s => s.State.LastClosed).FirstOrDefault(static c => c is not null);
            Report(point.Operation, closed, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.OnEveryPath, "true"), method.Name, closed is null ? "a reclaim callback runs outside every section" : "the section has been closed before");
        }
    }
}
