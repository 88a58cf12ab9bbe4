// Sections: how they open, close, are refreshed and proved, and what that does to the values read in them.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    /// <summary>Tells whether a section protects what a domain needs: yes, no, or nobody can tell.</summary>
    private bool? Protects(Section section, Domain needed, State state) => Sections.Protects(section, needed, state);

    private void Open(CallSite call, Contract contract, int result, State state)
    {
        Domain domain = DomainOf(contract, call, state);
        ITypeSymbol? guard = null;
        int guardValue = 0;
        if (_body.Map.Scope(ResultType(call.Method)) is not null)
        {
            guard = ResultType(call.Method);
            guardValue = result;
        }
        else
        {
            foreach (IArgumentOperation argument in call.Arguments)
            {
                if (argument.Parameter is { RefKind: RefKind.Out } parameter && _body.Map.Scope(parameter.Type) is not null)
                {
                    guard = parameter.Type;
                    guardValue = OutValue(argument, state);
                }
            }
        }

        OpenSection(domain, call.Operation, contract.Sleepable, guard, guardValue, state);
    }

    private void OpenSection(Domain domain, IOperation opener, bool sleepable, ITypeSymbol? guard, int guardValue, State state)
    {
        int id = _table.Section(opener);

        // A loop that opens again and again is told once: the depth need not grow to be wrong.
        if (state.Sections.Count(s => s.Id == id) < 2)
        {
            // Retaking what the caller had open gives it back: the caller closes it.
            int left = state.Left.FindIndex(d => d.Equals(domain) || d.Kind == DomainKind.Any);
            if (left < 0)
            {
                left = state.Left.FindIndex(d => d.Kind != domain.Kind && Sections.Protects(d, domain, state) != false);
            }

            if (left >= 0)
            {
                // What the caller calls it by its type, it goes on calling so.
                domain = state.Left[left].Kind == DomainKind.Any ? domain : state.Left[left];
                state.Left.RemoveAt(left);
            }

            state.Sections.Add(new Section(id, domain, left >= 0 ? SectionKind.Entry : SectionKind.Opened, sleepable, opener, guard));
        }

        state.Touch();
        if (guardValue != 0)
        {
            Facts facts = state.FactsOf(guardValue);
            state.SetFacts(guardValue, facts with { Holder = Holder.GuardOpen, Section = id, Range = Range.Full.Without(0)!.Value });
        }
    }

    // Where a domain is none, no section of it is open, whatever a contract says of the domain that there may be; nor of its type, where that is all a contract names.
    private void LeaveNothing(int domain, State state)
    {
        ITypeSymbol? type = _table.Info(domain) is { Kind: ValueKind.Initial, A: var place } ? ValueTable.TypeOf(_table.SlotInfo(place).Symbol) : null;
        for (int i = state.Sections.Count - 1; i >= 0; i--)
        {
            Domain open = state.Sections[i].Domain;
            if (open.Kind == DomainKind.Receiver ? open.Receiver == domain : open.Kind == DomainKind.Type && type is not null && SymbolEqualityComparer.Default.Equals(open.Type, type.OriginalDefinition))
            {
                state.Sections.RemoveAt(i);
            }
        }
    }

    private void Close(CallSite call, Contract contract, State state)
    {
        Domain domain = DomainOf(contract, call, state);
        int index = ClosedBy(domain, state);
        if (index >= 0)
        {
            CloseSection(index, call.Operation, state);
        }
        else if (contract.When is not null && !state.Left.Any(d => d.Equals(domain)))
        {
            // A try that left a section which nobody opened here left the caller's; taking it again gives it back.
            state.Left.Add(domain);
            state.Touch();
        }
    }

    // Sections of one domain only count: a call closes one that a call opened, as long as there is one.
    private int ClosedBy(Domain domain, State state)
    {
        int index = state.Sections.FindLastIndex(s => s.Guard is null && Protects(s, domain, state) == true);
        if (index < 0)
        {
            index = state.Sections.FindLastIndex(s => Protects(s, domain, state) == true);
        }

        return index >= 0 ? index : state.Sections.FindLastIndex(s => Protects(s, domain, state) != false);
    }

    private static void CloseSection(int index, IOperation site, State state)
    {
        Section closed = state.Sections[index];
        state.Sections.RemoveAt(index);
        if (closed.Kind != SectionKind.Opened)
        {
            state.Left.Add(closed.Domain);
        }

        state.LastClosed = site;
        state.HasClosed = true;
        state.StaleBound = null;
        state.Touch();
        Section? remaining = state.Sections.FirstOrDefault(s => s.Domain.Equals(closed.Domain));
        for (int i = 0; i < state.Values.Count; i++)
        {
            Facts facts = state.Values.ValueAt(i);
            if (facts.Origin == OriginKind.Open && facts.Section == closed.Id && facts.Holder is not Holder.GuardOpen)
            {
                state.Values.SetAt(i, remaining is not null
                    ? facts with { Section = remaining.Id }
                    : facts with { Origin = OriginKind.Closed, CloseSite = site, Section = 0 });
            }
        }
    }

    private void Refresh(Domain domain, IOperation site, State state)
    {
        state.Touch();
        foreach (Section section in state.Sections)
        {
            if (Protects(section, domain, state) == false)
            {
                continue;
            }

            for (int i = 0; i < state.Values.Count; i++)
            {
                Facts facts = state.Values.ValueAt(i);
                if (facts.Origin == OriginKind.Open && facts.Section == section.Id && facts.Holder != Holder.GuardOpen)
                {
                    state.Values.SetAt(i, facts with { Origin = OriginKind.Closed, CloseSite = site, Section = 0 });
                }
            }
        }
    }

    private void Prove(Domain domain, IOperation site, bool sleepable, State state)
    {
        if (!state.Sections.Any(s => Protects(s, domain, state) == true))
        {
            state.Sections.Add(new Section(_table.Section(site), domain, SectionKind.Asserted, sleepable, site, null));
            state.Touch();
        }
    }

    // A query parts the paths: on one a section is open, on the other none is.
    private void Query(CallSite call, Contract contract, List<State> states)
    {
        foreach (State state in states.ToArray())
        {
            Domain domain = DomainOf(contract, call, state);
            int result = state.Create(call.Operation);
            state.SetTemporary(call.Operation, result);
            bool? open = state.Sections.Any(s => Protects(s, domain, state) == true) ? true : null;
            State without = state.Clone();
            Prove(domain, call.Operation, false, state);
            Assume(state, result, true);
            if (open != true)
            {
                Assume(without, result, false);
                without.CallerUnknown = false;
                states.Add(without);
            }
        }
    }

    // Disposing a guard, gather or pin.
    private void CloseHolder(CallSite call, State state)
    {
        if (!IsDispose(call) || call.Instance is null)
        {
            return;
        }

        int value = ValueOf(call.Instance, state);
        Facts facts = state.FactsOf(value);
        switch (facts.Holder)
        {
            case Holder.GuardOpen:
                int index = state.Sections.FindLastIndex(s => s.Id == facts.Section);
                if (index >= 0)
                {
                    CloseSection(index, call.Operation, state);
                }

                state.SetFacts(value, state.FactsOf(value) with { Holder = Holder.GuardClosed, CloseSite = call.Operation });
                break;
            case Holder.GatherEmpty or Holder.GatherFilled or Holder.GatherSynced:
                state.SetFacts(value, facts with { Holder = Holder.GatherDisposed, CloseSite = call.Operation });
                break;
            case Holder.PinHeld:
                state.SetFacts(value, facts with { Holder = Holder.PinReleased, CloseSite = call.Operation });
                break;
            case Holder.LockScope:
                if (state.Locks.FindLastIndex(l => l.Value == facts.Section) is >= 0 and var taken)
                {
                    state.Locks.RemoveAt(taken);
                }

                state.Touch();
                break;
            case Holder.None when _body.Map.Scope(call.Instance.Type) is not null:
                // A guard that came from elsewhere: whatever it opened ends.
                int outer = state.Sections.FindLastIndex(static s => s.Kind != SectionKind.Opened);
                if (outer >= 0)
                {
                    CloseSection(outer, call.Operation, state);
                }

                state.SetFacts(value, facts with { Holder = Holder.GuardClosed, CloseSite = call.Operation });
                break;
        }
    }

    // What the rules hear of a section's end.
    private void CloseEvents(CallSite call, List<State> states)
    {
        if (_observer is null)
        {
            return;
        }

        if (IsDispose(call) && IsGuardClose(call, states))
        {
            Tell(states, s => Closing(call, s), (listener, seen) => listener.Close(Point(call.Operation), seen));
        }
        else if (call.Contracts.Find(ContractWord.ReleasesReadLock) is { When: null } contract)
        {
            Tell(
                states,
                s =>
                {
                    Domain domain = DomainOf(contract, call, s);
                    return new Closing(ClosedBy(domain, s) is >= 0 and var closed ? s.Sections[closed] : null, domain, 0, Holder.None);
                },
                (listener, seen) => listener.Close(Point(call.Operation), seen));
        }
    }

    private Closing Closing(CallSite call, State state)
    {
        int guard = ValueOf(call.Instance!, state);
        Facts facts = state.FactsOf(guard);
        Section? section = facts.Holder == Holder.GuardOpen && state.Sections.FindLastIndex(s => s.Id == facts.Section) is >= 0 and var open ? state.Sections[open] : null;
        return new Closing(section, section?.Domain ?? Domain.Any, guard, facts.Holder);
    }
}

/// <summary>Questions about the open sections of a state.</summary>
internal static class Sections
{
    /// <summary>Finds an open section that must not sleep.</summary>
    /// <param name="state">The state.</param>
    /// <returns>The section, or none.</returns>
    public static Section? ThreadBound(State state) => state.Sections.FirstOrDefault(static s => !s.Sleepable);

    /// <summary>Tells whether a section protects what a domain needs.</summary>
    /// <param name="section">The section.</param>
    /// <param name="needed">The domain.</param>
    /// <param name="state">The state.</param>
    /// <returns>Yes, no, or nothing where nobody can tell.</returns>
    public static bool? Protects(Section section, Domain needed, State state) => Protects(section.Domain, needed, state);

    /// <summary>Tells whether a section of one domain protects what another needs.</summary>
    /// <param name="open">The domain of the section.</param>
    /// <param name="needed">The domain.</param>
    /// <param name="state">The state.</param>
    /// <returns>Yes, no, or nothing where nobody can tell.</returns>
    public static bool? Protects(Domain open, Domain needed, State state)
    {
        if (needed.Kind == DomainKind.Any || open.Kind == DomainKind.Any)
        {
            return true;
        }

        if (needed.Kind != open.Kind)
        {
            return needed.Kind == DomainKind.Type ? IsOne(open.Type, needed.Type!) : IsOne(needed.Type, open.Type!) == false ? false : null;
        }

        if (needed.Kind == DomainKind.Type)
        {
            return SymbolEqualityComparer.Default.Equals(needed.Type, open.Type);
        }

        if (needed.Receiver == open.Receiver)
        {
            return needed.Receiver == ValueTable.Unknown ? null : true;
        }

        return IsDistinct(needed.Receiver, state.Table) && IsDistinct(open.Receiver, state.Table) ? false : null;
    }

    /// <summary>Tells how a state answers a need.</summary>
    /// <param name="state">The state.</param>
    /// <param name="need">The need.</param>
    /// <returns>The answer.</returns>
    public static Answer Answer(State state, Need need)
    {
        if (need.Lock != 0 && Locks.IsHeld(state, need.Lock))
        {
            return Flow.Answer.Open;
        }

        bool any = false;
        foreach (Section section in state.Sections)
        {
            if (Protects(section, need.Domain, state) != false)
            {
                return Flow.Answer.Open;
            }

            any = true;
        }

        return state.CallerUnknown ? Flow.Answer.AskCaller : any ? Flow.Answer.OtherDomain : Flow.Answer.Closed;
    }

    // Whether an object is one of a type that stands for whichever of its objects is meant.
    private static bool? IsOne(ITypeSymbol? receiver, ITypeSymbol type)
    {
        if (type.IsStatic)
        {
            return false;
        }

        return receiver is null or ITypeParameterSymbol ? null
            : IsKindOf(receiver, type) ? true
            : receiver.TypeKind == TypeKind.Interface || IsKindOf(type, receiver) ? null
            : false;
    }

    private static bool IsKindOf(ITypeSymbol derived, ITypeSymbol type)
    {
        for (ITypeSymbol? t = derived; t is not null; t = t.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(t.OriginalDefinition, type))
            {
                return true;
            }
        }

        return derived.AllInterfaces.Any(i => SymbolEqualityComparer.Default.Equals(i.OriginalDefinition, type));
    }

    // Two of these with different names are taken for different objects.
    private static bool IsDistinct(int value, ValueTable table)
        => table.Info(value) is { Kind: ValueKind.Initial or ValueKind.This } or { Kind: ValueKind.Site, Tag: IObjectCreationOperation };
}

/// <summary>How a state answers a need for a section.</summary>
internal enum Answer : byte
{
    Open,
    Closed,
    OtherDomain,
    AskCaller,
}

/// <summary>Questions about the locks of a state.</summary>
internal static class Locks
{
    /// <summary>Tells whether a need for a lock is answered: it is held, or its object is nobody else's.</summary>
    /// <param name="state">The state.</param>
    /// <param name="value">The lock; unknown where any will do.</param>
    /// <returns>Whether it is.</returns>
    public static bool IsAnswered(State state, int value)
    {
        if (value == ValueTable.Unknown)
        {
            return state.Locks.Count > 0;
        }

        for (int owner = value; state.Table.Info(owner) is { Kind: ValueKind.Initial } info && state.Table.SlotInfo(info.A) is { Symbol: not null, Index: > 0 } slot;)
        {
            owner = slot.Index;
            if (state.FactsOf(owner).Reclaim == Reclaim.Fresh)
            {
                return true;
            }
        }

        return IsHeld(state, value);
    }

    /// <summary>Tells whether a lock is held, or may be.</summary>
    /// <param name="state">The state.</param>
    /// <param name="value">The lock.</param>
    /// <returns>Whether it is; also where nobody can tell which lock is held.</returns>
    public static bool IsHeld(State state, int value)
    {
        foreach (HeldLock held in state.Locks)
        {
            if (held.Value == value || held.Value == ValueTable.Unknown || state.Table.Info(held.Value).Kind is ValueKind.Site or ValueKind.Phi or ValueKind.Old)
            {
                return true;
            }
        }

        return false;
    }
}
