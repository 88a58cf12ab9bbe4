// IRCU064 and 065: something that queued callbacks need is disposed, with no wait for them, or with one for readers only.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;
using static IommuRcu.Analyzers.Descriptors;

namespace IommuRcu.Analyzers.Rules.Callbacks;

/// <summary>Reports disposal under queued callbacks.</summary>
internal sealed class DisposedWithoutBarrier : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.DisposedWithoutBarrier, BarrierAndSynchronizeConfused);

    /// <inheritdoc/>
    public override void Dispose(FlowPoint point, IOperation value, IReadOnlyList<Seen<int>> seen)
    {
        if (point.Operation is IInvocationOperation call && ((point.Body.Map.Of(call.TargetMethod).SelfWords & ContractWord.WaitsForGracePeriod) != 0 || Waits(call, point.Body)))
        {
            return;
        }

        if (Verdict.Of(point, seen, static s => Queued(s) is not null, out Seen<int> wrong) < Certainty.Definite)
        {
            return;
        }

        QueuedCallback queued = Queued(wrong)!;
        string site = Names.OfCall(queued.Site);
        if (queued.MayOutlive is { } waited)
        {
            string wait = Names.OfCall(waited);
            Findings.Report(BarrierAndSynchronizeConfused, LocationOf(waited), new[] { queued.Site }, ImmutableDictionary<string, string?>.Empty, wait, site);
            return;
        }

        ImmutableDictionary<string, string?> properties = ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.WaitExpression, BarrierOf(queued.Site, point.Body));
        Findings.Report(Analyzers.Descriptors.DisposedWithoutBarrier, LocationOf(point.Operation), new[] { queued.Site }, properties, Names.Of(value), site);
    }

    private static QueuedCallback? Queued(Seen<int> seen) => seen.State.Callbacks.FirstOrDefault(c => c.Values.Contains(seen.Value));

    // The barrier of the domain that the callback was queued on.
    private static string? BarrierOf(IOperation site, Body body)
    {
        IMethodSymbol? barrier = (site as IInvocationOperation)?.TargetMethod.ContainingType.GetMembers("Barrier").OfType<IMethodSymbol>()
            .FirstOrDefault(m => m.Parameters.IsEmpty && (body.Map.Of(m).SelfWords & ContractWord.WaitsForGracePeriod) != 0);
        string? receiver = barrier is null ? null
            : barrier.IsStatic ? barrier.ContainingType.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat)
            : Names.Unwrap(((IInvocationOperation)site).Instance)?.Syntax.ToString();
        return receiver is null ? null : receiver + ".Barrier()";
    }

    // Disposed through its interface, the type's own Dispose may still wait.
    private static bool Waits(IInvocationOperation call, Body body)
        => Names.Unwrap(call.Instance)?.Type is INamedTypeSymbol type
            && type.GetMembers(call.TargetMethod.Name).Any(m => (body.Map.Of(m).SelfWords & ContractWord.WaitsForGracePeriod) != 0);
}
