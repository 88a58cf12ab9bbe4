// IRCU027: a wait for a grace period with a lock held that a reader takes in its section, or a reclaim callback.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Blocking;

/// <summary>Reports waits for those who may be waiting for the lock that the waiting thread holds.</summary>
internal sealed class LockInversion : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.LockInversion);

    /// <inheritdoc/>
    public override void Lock(FlowPoint point, IReadOnlyList<Seen<int>> seen)
    {
        if (ValuePath.Of(seen[0].Value, point.Body.Table) is not { } taken || !seen.All(s => s.Value == seen[0].Value))
        {
            return;
        }

        if (point.Body.IsCallback)
        {
            // A callback finds its object in the state that it was queued with.
            Findings.Locks.Note(new LockTaker(taken.OfState(point.Body.Member.Owner.ContainingType), null, QueueOf(point.Body), point.Operation, point.Body.Name));
        }

        foreach (DomainName domain in SectionsAt(point, seen))
        {
            Findings.Locks.Note(new LockTaker(taken, domain, null, point.Operation, point.Body.Name));
        }
    }

    /// <inheritdoc/>
    public override void Wait(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
        ValueTable table = point.Body.Table;
        bool forCallbacks = KnownMembers.IsBarrier(method);
        if (DomainName.Of(seen[0].Value, table) is not { } domain || !seen.All(s => s.Value.Equals(seen[0].Value)))
        {
            return;
        }

        foreach (int held in seen.SelectMany(static s => s.State.Locks.Select(static l => l.Value)).Distinct())
        {
            if (ValuePath.Of(held, table) is not { } path || Verdict.Of(point, seen, s => s.State.Locks.Any(l => l.Value == held), out Seen<Domain> _) < Certainty.Definite)
            {
                continue;
            }

            Findings.Locks.Note(new WaitUnderLock(path, domain, forCallbacks, taker => Report(
                point.Operation,
                taker.At,
                null,
                method.Name,
                taker.Domain is null ? "callbacks" : "readers",
                NameOf(held, table),
                taker.Domain is null ? "a callback" : "'" + taker.Name + "'",
                taker.Domain is null ? string.Empty : " in its section")));
        }
    }

    private static ITypeSymbol? QueueOf(Body body) => body.Method is { } callback ? body.Member.TakerOf(callback)?.ContainingType.OriginalDefinition : null;

    // The sections that are open where a lock is waited for, whichever way has led there.
    private static IEnumerable<DomainName> SectionsAt(FlowPoint point, IReadOnlyList<Seen<int>> seen)
    {
        var domains = new List<DomainName>();
        foreach (Domain domain in seen.SelectMany(static s => s.State.Sections.Select(static o => o.Domain)).Distinct())
        {
            if (DomainName.Of(domain, point.Body.Table) is { } name
                && Verdict.Of(point, seen, s => s.State.Sections.Any(o => o.Domain.Equals(domain)), out Seen<int> _) >= Certainty.Definite)
            {
                domains.Add(name);
            }
        }

        return domains;
    }
}
