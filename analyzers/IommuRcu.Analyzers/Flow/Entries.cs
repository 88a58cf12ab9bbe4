// What holds where a body starts, by its contracts.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Makes the states that a body starts from.</summary>
internal static class Entries
{
    /// <summary>Lists the ways to start a body; each is analysed by itself.</summary>
    /// <param name="body">The body.</param>
    /// <param name="inferred">The needs inferred for it, which its callers answer for.</param>
    /// <param name="seen">The states that its calls were seen in.</param>
    /// <returns>One list of states, or two for a body that may run inside a section as well as outside.</returns>
    public static IEnumerable<List<State>> Of(Body body, IReadOnlyList<InferredNeed>? inferred, IReadOnlyList<State>? seen = null)
    {
        List<State> states = seen is { Count: > 0 } ? seen.Select(static s => s.Clone()).ToList() : new List<State> { new(body.Table) };
        foreach (State state in states)
        {
            Begin(body, state);
            if (inferred is not null)
            {
                state.CallerUnknown = true;
                foreach (InferredNeed need in inferred)
                {
                    int value = need.Path is null ? ValueTable.Unknown : ValueOf(need.Path, body, state);
                    if (need.Kind == NeedKind.Section)
                    {
                        Enter(need.Path is null ? need.Domain : value == ValueTable.Unknown ? Domain.Any : Domain.Of(value, need.Domain.Type), state, body);
                    }
                    else if (need.Kind == NeedKind.Lock)
                    {
                        state.Locks.Add(new HeldLock(value, null));
                    }
                }
            }
        }

        if (body.Contracts.Find(ContractWord.MayHoldReadLock) is not { } both)
        {
            return new[] { states };
        }

        List<State> inside = states.Select(static s => s.Clone()).ToList();
        foreach (State state in inside)
        {
            Enter(DomainOf(both, body, state), state, body);
        }

        return new[] { states, inside };
    }

    /// <summary>Makes the state of a helper whose callers are not known yet.</summary>
    /// <param name="body">The helper.</param>
    /// <returns>The state.</returns>
    public static State AskingCaller(Body body)
    {
        var state = new State(body.Table) { CallerUnknown = true };
        Begin(body, state);
        return state;
    }

    private static void Begin(Body body, State state)
    {
        if (body.Method is not { } method)
        {
            return;
        }

        foreach (Contract contract in body.Contracts.Self)
        {
            switch (contract.Word)
            {
                case ContractWord.RequiresReadLock when contract.Lock is not null:
                    // One of the two is held: which, the body cannot tell.
                    Enter(DomainOf(contract, body, state), state, body);
                    Hold(contract, body, state);
                    break;
                case ContractWord.RequiresReadLock or ContractWord.ReleasesReadLock or ContractWord.RefreshesReadLock:
                    Enter(DomainOf(contract, body, state), state, body);
                    break;
                case ContractWord.RequiresWriterLock:
                    Hold(contract, body, state);
                    break;
            }
        }

        if (method is { MethodKind: MethodKind.Constructor, IsStatic: false } && body.Number == 0 && body.Member.IsPublishable(method.ContainingType))
        {
            // Nobody else can reach an object that is being made.
            state.SetFacts(body.Table.This, state.FactsOf(body.Table.This) with { Reclaim = Reclaim.Fresh });
        }

        foreach (IParameterSymbol parameter in method.Parameters)
        {
            Begin(parameter, body, state);
        }
    }

    private static void Begin(IParameterSymbol parameter, Body body, State state)
    {
        int value = body.Table.Initial(body.Table.Slot(parameter.OriginalDefinition));
        if (body.Map.Scope(parameter.Type) is not null && parameter.RefKind != RefKind.Out)
        {
            // Whoever hands a guard in has its section open.
            state.Sections.Add(new Section(body.Table.Section(parameter), Domain.Any, SectionKind.Entry, false, null, parameter.Type));
        }

        foreach (Contract contract in body.Contracts.Parameter(parameter.Ordinal))
        {
            Facts facts = state.FactsOf(value);
            switch (contract.Word)
            {
                case ContractWord.Frees:
                    state.SetFacts(value, facts with { Reclaim = Reclaim.Trusted });
                    break;
                case ContractWord.Unpublished when parameter.RefKind != RefKind.Out:
                    state.SetFacts(value, facts with { Reclaim = Reclaim.Fresh });
                    break;
                case ContractWord.RcuProtected when state.Sections.Count > 0:
                    state.SetFacts(value, facts with { Origin = OriginKind.Open, Section = state.Sections[0].Id });
                    break;
            }
        }
    }

    private static void Enter(Domain domain, State state, Body body)
    {
        object key = domain.Kind == DomainKind.Type && domain.Type is { } type ? type : domain.Kind == DomainKind.Any ? body.Owner : (body.Owner, domain.Receiver);
        if (!state.Sections.Any(s => s.Domain.Equals(domain) && s.Kind == SectionKind.Entry))
        {
            state.Sections.Add(new Section(body.Table.Section(Keyed(key, body)), domain, SectionKind.Entry, IsSleepable(domain, body), null, null));
        }
    }

    // Names are compared by reference: one object for each key.
    private static object Keyed(object key, Body body) => key is ISymbol ? key : body.Member.Key(key);

    /// <summary>Tells whether a section that is only known to be needed may sleep: where the type opens nothing but sleepable ones, it does.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="body">The body that needs it.</param>
    /// <returns>Whether it may.</returns>
    public static bool IsSleepable(Domain domain, Body body)
    {
        if (domain.Type is not INamedTypeSymbol type)
        {
            return false;
        }

        bool any = false;
        foreach (ISymbol member in type.GetMembers())
        {
            if (member is IMethodSymbol && body.Map.Of(member).Find(ContractWord.AcquiresReadLock) is { } acquires)
            {
                if (!acquires.Sleepable)
                {
                    return false;
                }

                any = true;
            }
        }

        return any;
    }

    private static void Hold(Contract contract, Body body, State state)
    {
        // A lock that has no name of its own stands for any.
        state.Locks.Add(new HeldLock(contract.Lock is { } name ? ValueOf(name, body, state) : ValueTable.Unknown, null));
    }

    private static Domain DomainOf(Contract contract, Body body, State state)
    {
        if (contract.DomainType is { } type)
        {
            return Domain.Of(type);
        }

        if (contract.Domain is { } name)
        {
            return ValueOf(name, body, state) is var value && value != ValueTable.Unknown ? Domain.Of(value, null) : Domain.Any;
        }

        INamedTypeSymbol? declaring = body.Method?.ContainingType;
        return declaring is null || !body.Map.Acquires(declaring) ? Domain.Any
            : body.Method!.IsStatic ? Domain.Of(declaring)
            : Domain.Of(body.Table.This, declaring);
    }

    private static int ValueOf(ValuePath path, Body body, State state)
    {
        int value = path.Root is null ? body.Table.This : state.Read(body.Table.Slot(path.Root));
        foreach (ISymbol member in path.Members)
        {
            value = state.Read(body.Table.Slot(member, value));
        }

        return value;
    }

    private static int ValueOf(string path, Body body, State state)
    {
        if (body.Method is not { } method)
        {
            return ValueTable.Unknown;
        }

        ImmutableArray<IParameterSymbol> parameters = method.Parameters;
        string[] parts = path.Split('.');
        int value = body.Table.This;
        INamedTypeSymbol? type = method.ContainingType;
        for (int i = 0; i < parts.Length; i++)
        {
            if (i == 0 && parameters.FirstOrDefault(p => p.Name == parts[0]) is { } parameter)
            {
                value = state.Read(body.Table.Slot(parameter.OriginalDefinition));
                type = parameter.Type as INamedTypeSymbol;
                continue;
            }

            if (parts[i] == "this")
            {
                continue;
            }

            if (i == 0 && type is not null && Engine.FindMember(type, parts[0]) is null && Engine.FindPrimaryParameter(type, parts[0]) is { } primary)
            {
                value = state.Read(body.Table.Slot(primary.OriginalDefinition));
                type = primary.Type as INamedTypeSymbol;
                continue;
            }

            if (type is null || Engine.FindMember(type, parts[i]) is not { } member)
            {
                return ValueTable.Unknown;
            }

            value = state.Read(body.Table.Slot(Engine.Canonical(member), member.IsStatic ? 0 : value));
            type = ValueTable.TypeOf(member) as INamedTypeSymbol;
        }

        return value;
    }
}
