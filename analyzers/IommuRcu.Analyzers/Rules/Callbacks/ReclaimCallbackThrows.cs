// IRCU062: an exception that a reclaim callback lets out.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Callbacks;

/// <summary>Reports throws that leave a reclaim callback.</summary>
internal sealed class ReclaimCallbackThrows : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.ReclaimCallbackThrows);

    /// <inheritdoc/>
    public override void Leave(Body body, IReadOnlyList<Exit> exits)
    {
        if (!body.IsCallback)
        {
            return;
        }

        foreach (Exit exit in exits)
        {
            if (exit is { Kind: ExitKind.Throw, Site: { } site })
            {
                Report(site, null, null);
            }
        }
    }
}
