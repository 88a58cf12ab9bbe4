// IRCU060: a reclaim callback that blocks or waits for a grace period.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Callbacks;

/// <summary>Reports waits in reclaim callbacks.</summary>
internal sealed class ReclaimCallbackBlocks : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.ReclaimCallbackBlocks);

    /// <inheritdoc/>
    public override void Wait(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
        if (point.Body.IsCallback)
        {
            Report(point.Operation, null, null, method.Name, "waits for a grace period");
        }
    }

    /// <inheritdoc/>
    public override void Block(FlowPoint point, string name, IMethodSymbol? helper, IReadOnlyList<Seen<Domain>> seen)
    {
        if (point.Body.IsCallback && !(BlockingMembers.IsLock(name) && Findings.AllowsLocks(point.Operation.Syntax.SyntaxTree)) && !BlockingMembers.IsLock(name))
        {
            Report(point.Operation, null, null, helper?.Name ?? name, "blocks");
        }
    }
}
