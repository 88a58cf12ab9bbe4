// IRCU072: a protected entry that is read, changed and written back in separate steps.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using IommuRcu.Analyzers.Rules.Walks;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Writers;

/// <summary>Reports non-atomic updates of entries that others may change.</summary>
internal sealed class NonAtomicEntryUpdate : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.NonAtomicEntryUpdate);

    /// <inheritdoc/>
    public override void Update(FlowPoint point, IOperation target, Contract? contract, IReadOnlyList<Seen<Need>> seen)
    {
        if (contract is not { PlainAllowed: true } && !PlainAccess.IsPrivate(point, seen))
        {
            Report(point.Operation, null, ImmutableDictionary<string, string?>.Empty, Names.Of(target));
        }
    }
}
