// IRCU038: a try-enter whose answer is thrown away.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports calls that may have opened a section, where nobody asks whether they did.</summary>
internal sealed class TryEnterResultIgnored : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.TryEnterResultIgnored);

    /// <inheritdoc/>
    public override void Open(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
        if (point.Body.Map.Of(method).Find(ContractWord.AcquiresReadLock) is { When: not null, WhenParameter: null, ElseHeld: false } && Discards.IsDiscarded(point.Operation))
        {
            Report(point.Operation, null, null, method.Name);
        }
    }
}
