// Collects what an unannotated helper leaves to its callers.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Hears the needs that only a caller can answer.</summary>
internal sealed class NeedCollector : FlowListener
{
    private readonly List<InferredNeed> _needs = new();

    /// <summary>Gets the needs, each once. A helper that needs a section answers itself for what it does in it.</summary>
    public IReadOnlyList<InferredNeed> Needs
        => _needs.Any(static n => n.Kind == NeedKind.Section) ? _needs.Where(static n => n.Kind is NeedKind.Section or NeedKind.Lock).ToList() : _needs;

    /// <inheritdoc/>
    public override void Need(FlowPoint point, IReadOnlyList<Seen<Need>> seen)
    {
        foreach (Seen<Need> one in seen)
        {
            Answer answer = Sections.Answer(one.State, one.Value);
            if (answer == Answer.AskCaller || (answer == Answer.Closed && one.State.IsResumed && Entries.IsSleepable(one.Value.Domain, point.Body)))
            {
                Add(NeedKind.Section, one.Value.Domain, one.Value.Name, one.State);
            }
        }
    }

    /// <inheritdoc/>
    public override void Wait(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
        foreach (Seen<Domain> one in seen)
        {
            if (one.State.CallerUnknown && one.State.Sections.Count == 0)
            {
                Add(NeedKind.Wait, one.Value, method.Name, one.State);
            }
        }
    }

    /// <inheritdoc/>
    public override void Block(FlowPoint point, string name, IMethodSymbol? helper, IReadOnlyList<Seen<Domain>> seen)
    {
        foreach (Seen<Domain> one in seen)
        {
            if (one.State.CallerUnknown && one.State.Sections.Count == 0)
            {
                Add(NeedKind.Block, one.Value, name, one.State);
            }
        }
    }

    /// <inheritdoc/>
    public override void NeedLock(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<int>> seen)
    {
        foreach (Seen<int> one in seen)
        {
            if (Locks.IsAnswered(one.State, one.Value))
            {
                continue;
            }

            ValuePath? path = one.Value == ValueTable.Unknown ? null : ValuePath.Of(one.Value, one.State.Table);
            if (path is not null || contract.Lock is null)
            {
                Add(new InferredNeed(NeedKind.Lock, Domain.Any, path, member.Name, member, contract));
            }
        }
    }

    private void Add(NeedKind kind, Domain domain, string name, State state)
    {
        // An object that callers cannot name is whichever they have.
        ValuePath? path = domain.Kind == DomainKind.Receiver ? ValuePath.Of(domain.Receiver, state.Table) : null;
        Add(new InferredNeed(kind, domain.Kind == DomainKind.Receiver && path is null ? Domain.Any : domain, path, name, null, null));
    }

    private void Add(InferredNeed need)
    {
        if (!_needs.Any(need.IsSame))
        {
            _needs.Add(need);
        }
    }
}
