// The order of a free: what publishing, unlinking, gathering, flushing, retiring and freeing do to a value.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private const ContractWord ReclaimWords = ContractWord.Publishes | ContractWord.Unlinks | ContractWord.Gathers | ContractWord.Retires | ContractWord.Frees;

    private const ContractWord GivenWords = ContractWord.Frees | ContractWord.Retires | ContractWord.RunsAfterGracePeriod;

    private static readonly ContractWord[] _steps_ = { ContractWord.Publishes, ContractWord.Unlinks, ContractWord.Gathers, ContractWord.Retires, ContractWord.Frees };

    private void ReclaimEvents(CallSite call, List<State> states)
    {
        if (_observer is null)
        {
            return;
        }

        if ((call.Contracts.SelfWords & ContractWord.RunsAfterGracePeriod) != 0 && call.Operation is IInvocationOperation)
        {
            IOperation? reclaimed = call.Arguments.FirstOrDefault()?.Value ?? call.Instance;
            Tell(states, s => reclaimed is null ? ValueTable.Unknown : ValueOf(reclaimed, s), (listener, seen) => listener.ReclaimAtOnce(Point(call.Operation), call, reclaimed, seen));
        }

        foreach (Contract contract in call.Contracts.Self)
        {
            if ((contract.Word & ReclaimWords) != 0 && call.Instance is { } instance && !IsGather(instance.Type))
            {
                Tell(states, s => ValueOf(instance, s), (listener, seen) => listener.Reclaim(Point(call.Operation), contract.Word, instance, seen));
            }
        }

        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (argument.Parameter is not { } parameter)
            {
                continue;
            }

            foreach (Contract contract in call.Contracts.Parameter(parameter.Ordinal))
            {
                if ((contract.Word & ReclaimWords) != 0)
                {
                    Tell(states, s => ValueOf(argument.Value, s), (listener, seen) => listener.Reclaim(Point(call.Operation), contract.Word, argument.Value, seen));
                }

                if ((contract.Word & GivenWords) != 0 && call.Instance is { } pool)
                {
                    Tell(states, s => new Giving(ValueOf(argument.Value, s), ValueOf(pool, s)), (listener, seen) => listener.Give(Point(call.Operation), contract.Word, argument.Value, pool, seen));
                }
            }
        }
    }

    private bool IsGather(ITypeSymbol? type) => _body.Map.FindOnType(type, ContractWord.TableGather) is not null;

    private void ReclaimEffects(CallSite call, int result, State state, bool? decided)
    {
        MemberContracts contracts = call.Contracts;
        foreach (Contract contract in contracts.Result)
        {
            if (!Holds(contract, decided))
            {
                continue;
            }

            if (contract.Word == ContractWord.Unpublished)
            {
                state.SetFacts(result, state.FactsOf(result) with { Reclaim = Reclaim.Fresh, ReclaimSite = call.Operation, Allocator = call.Instance is { } from ? ValueOf(from, state) : 0 });
            }
            else if (contract.Word is ContractWord.Publishes or ContractWord.Unlinks)
            {
                Step(contract.Word, result, 0, call, state);
            }
        }

        if (((contracts.SelfWords | contracts.ParameterWords) & (ReclaimWords | ContractWord.Unpublished | ContractWord.FlushesIotlb)) == 0)
        {
            return;
        }

        foreach (ContractWord word in _steps_)
        {
            if (word == ContractWord.Retires)
            {
                Flush(call, state, decided);
            }

            if (contracts.Find(word) is { } own && Holds(own, decided) && call.Instance is { } instance)
            {
                if (IsGather(instance.Type))
                {
                    Sync(ValueOf(instance, state), word, call, state);
                }
                else
                {
                    Step(word, ValueOf(instance, state), 0, call, state);
                }
            }

            foreach (IArgumentOperation argument in call.Arguments)
            {
                if (argument.Parameter is { } parameter && MemberContracts.Find(contracts.Parameter(parameter.Ordinal), word) is { } contract && Holds(contract, decided))
                {
                    int value = parameter.RefKind == RefKind.Out ? OutValue(argument, state) : ValueOf(argument.Value, state);
                    Step(word, value, word == ContractWord.Publishes ? FreshOwner(call, argument, state) : word == ContractWord.Gathers ? GatherOf(call, state) : 0, call, state);
                    if (parameter.RefKind == RefKind.Ref && word is ContractWord.Retires or ContractWord.Frees && PlaceOf(argument.Value, state) is var slot && slot != 0)
                    {
                        // What comes back by reference is no longer what was given.
                        state.Write(slot, state.Create(argument, 1));
                    }
                }
            }
        }

        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (argument.Parameter is { } parameter && MemberContracts.Find(contracts.Parameter(parameter.Ordinal), ContractWord.Unpublished) is { } contract && parameter.RefKind is RefKind.Out or RefKind.Ref && Holds(contract, decided))
            {
                int value = OutValue(argument, state);
                state.SetFacts(value, state.FactsOf(value) with { Reclaim = Reclaim.Fresh, ReclaimSite = call.Operation, Allocator = call.Instance is { } from ? ValueOf(from, state) : 0 });
            }
        }
    }

    private void Step(ContractWord word, int value, int with, CallSite call, State state)
    {
        if (value == ValueTable.Unknown || _table.Info(value).Kind == ValueKind.Constant)
        {
            return;
        }

        switch (word)
        {
            case ContractWord.Publishes:
                Publish(value, with, call.Operation, state);
                break;
            case ContractWord.Unlinks:
                Set(Reclaim.Unlinked);
                break;
            case ContractWord.Gathers:
                Set(Reclaim.Gathered);
                state.SetFacts(value, state.FactsOf(value) with { Gather = with });
                if (state.FactsOf(with) is { Holder: Holder.GatherEmpty or Holder.GatherSynced } gather)
                {
                    state.SetFacts(with, gather with { Holder = Holder.GatherFilled });
                }

                break;
            case ContractWord.Retires:
                Set(Reclaim.Retired);
                QueueCallback(call, value, state);
                break;
            case ContractWord.Frees:
                Set(Reclaim.Freed);
                break;
        }

        // A section that is open already keeps the value alive until it closes.
        void Set(Reclaim reclaim)
        {
            Facts facts = state.FactsOf(value) with { Reclaim = reclaim, ReclaimSite = call.Operation };
            bool kept = reclaim is Reclaim.Retired or Reclaim.Gathered && facts.Origin == OriginKind.None && state.Sections.Count > 0;
            state.SetFacts(value, kept ? facts with { Origin = OriginKind.Open, Section = state.Sections[0].Id } : facts);
        }
    }

    // Publishing under something nobody can reach publishes nothing yet.
    private void Publish(int value, int owner, IOperation site, State state)
    {
        if (value == 0 || _table.Info(value).Kind == ValueKind.Constant)
        {
            return;
        }

        Facts facts = state.FactsOf(value);
        if (owner != 0 && owner != value && state.FactsOf(owner).Reclaim == Reclaim.Fresh)
        {
            state.SetFacts(value, facts with { Parent = owner });
            return;
        }

        state.SetFacts(value, facts with { Reclaim = Reclaim.Published, ReclaimSite = site, Parent = 0 });
        for (int i = 0; i < state.Values.Count; i++)
        {
            if (state.Values.ValueAt(i) is { Reclaim: Reclaim.Fresh } child && child.Parent == value)
            {
                Publish(state.Values.KeyAt(i), 0, site, state);
            }
        }
    }

    private int FreshOwner(CallSite call, IArgumentOperation published, State state)
    {
        if (call.Instance is { } instance && SourceOf(ValueOf(instance, state), state) is var receiver && state.FactsOf(receiver).Reclaim == Reclaim.Fresh && receiver != 0)
        {
            return receiver;
        }

        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (!ReferenceEquals(argument, published) && SourceOf(ValueOf(argument.Value, state), state) is var owner && owner != 0 && state.FactsOf(owner).Reclaim == Reclaim.Fresh)
            {
                return owner;
            }
        }

        return 0;
    }

    private int GatherOf(CallSite call, State state)
    {
        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (IsGather(argument.Value.Type))
            {
                return ValueOf(argument.Value, state);
            }
        }

        return call.Instance is { } instance ? ValueOf(instance, state) : ValueTable.Unknown;
    }

    // A sync of a gather is a step of all that it holds.
    private static void Sync(int gather, ContractWord word, CallSite call, State state)
    {
        for (int i = 0; i < state.Values.Count; i++)
        {
            Facts facts = state.Values.ValueAt(i);
            if (facts.Gather == gather && facts.Reclaim is Reclaim.Gathered or Reclaim.Flushed && word is ContractWord.Retires or ContractWord.Frees)
            {
                state.Values.SetAt(i, facts with { Reclaim = word == ContractWord.Retires ? Reclaim.Retired : Reclaim.Freed, ReclaimSite = call.Operation });
                state.Touch();
            }
        }

        if (state.FactsOf(gather) is { Holder: Holder.GatherEmpty or Holder.GatherFilled } held)
        {
            state.SetFacts(gather, held with { Holder = Holder.GatherSynced, CloseSite = call.Operation });
        }
    }

    private void Flush(CallSite call, State state, bool? decided)
    {
        if (call.Contracts.Find(ContractWord.FlushesIotlb) is not { } contract || !Holds(contract, decided))
        {
            return;
        }

        int receiver = call.Instance is { } instance ? ValueOf(instance, state) : ValueTable.Unknown;
        bool gatherOnly = IsGather(call.Instance?.Type);
        for (int i = 0; i < state.Values.Count; i++)
        {
            Facts facts = state.Values.ValueAt(i);
            if (facts.Reclaim != Reclaim.Gathered)
            {
                continue;
            }

            bool flushed = facts.Gather == receiver || receiver == ValueTable.Unknown || facts.Gather == ValueTable.Unknown
                || (!gatherOnly && (state.FactsOf(facts.Gather).Allocator == receiver || state.FactsOf(facts.Gather).Allocator == 0));
            if (flushed)
            {
                state.Values.SetAt(i, facts with { Reclaim = Reclaim.Flushed });
                state.Touch();
            }
        }

        if (gatherOnly && state.FactsOf(receiver) is { Holder: Holder.GatherFilled or Holder.GatherEmpty } gather)
        {
            state.SetFacts(receiver, gather with { Holder = Holder.GatherSynced, CloseSite = call.Operation });
        }
    }

    // After a grace period, what was unlinked before it may be freed.
    private void GracePeriod(CallSite call, State state)
    {
        // What the body never saw published may have been unlinked before it began.
        state.Waited = true;
        state.Touch();
        for (int i = 0; i < state.Values.Count; i++)
        {
            Facts facts = state.Values.ValueAt(i);
            if (facts.Reclaim is Reclaim.Unlinked or Reclaim.Flushed)
            {
                state.Values.SetAt(i, facts with { Reclaim = Reclaim.Quiescent, ReclaimSite = call.Operation });
            }
        }

        if (KnownMembers.IsBarrier(call.Method))
        {
            state.Callbacks.Clear();
        }
        else
        {
            for (int i = 0; i < state.Callbacks.Count; i++)
            {
                state.Callbacks[i] = state.Callbacks[i] with { MayOutlive = state.Callbacks[i].MayOutlive ?? call.Operation };
            }
        }
    }

    // Who waits for a signal that a queued callback has waits for the callback to give it.
    private void HearFrom(int signal, State state)
    {
        ValueInfo info = _table.Info(signal);
        int owner = info.Kind == ValueKind.Initial ? _table.SlotInfo(info.A).Index : ValueTable.Unknown;
        for (int i = state.Callbacks.Count - 1; i >= 0; i--)
        {
            if (state.Callbacks[i].Values.Contains(signal) || (owner > 0 && state.Callbacks[i].Values.Contains(owner)))
            {
                state.Callbacks.RemoveAt(i);
                state.Touch();
            }
        }
    }

    private void QueueCallback(CallSite call, int value, State state)
    {
        if (state.Callbacks.Any(c => ReferenceEquals(c.Site, call.Operation)))
        {
            return;
        }

        var needed = new HashSet<int> { value };
        if (call.Instance is { } instance)
        {
            needed.Add(ValueOf(instance, state));
        }

        foreach (IArgumentOperation argument in call.Arguments)
        {
            needed.Add(ValueOf(argument.Value, state));
            foreach (int part in PartsOf(argument.Value, state))
            {
                needed.Add(part);
            }
        }

        needed.Remove(ValueTable.Unknown);
        state.Callbacks.Add(new QueuedCallback(call.Operation, needed, null));
        state.Touch();
    }
}
