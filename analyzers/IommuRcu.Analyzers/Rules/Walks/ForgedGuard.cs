// IRCU009: a guard that no opener returned.
using System.Collections.Immutable;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports guards made by default, new or a cast.</summary>
internal sealed class ForgedGuard : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.ForgedGuard);

    /// <inheritdoc/>
    public override void Forge(FlowPoint point, ITypeSymbol type, string how) => Report(point.Operation, null, ImmutableDictionary<string, string?>.Empty, how, type.Name);
}
