// Reads and writes of fields and properties, and the ways a value leaves the body.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private void ReadField(IFieldReferenceOperation field, List<State> states)
    {
        MemberContracts contracts = _body.Map.Of(field.Field);
        UseInstance(field, field.Instance, states);
        ReadValue(field, field.Field, contracts, states);
    }

    private void ReadProperty(IPropertyReferenceOperation property, List<State> states)
    {
        // The target of an increment or compound assignment is read too; one without a getter gives a place.
        if (property.Property.GetMethod is { } getter)
        {
            if (BlockingMembers.Of(getter, property.Instance, property.Arguments) is { } blocking)
            {
                TellBlock(property, blocking, states);
            }

            CallEvents(new CallSite(property, getter, property.Instance, property.Arguments, _body.Map.Of(getter)), states);
        }

        if (property is { Property: { Name: "Result", ContainingType: var declaring }, Instance: { } task } && IsTask(declaring))
        {
            Await(task, property, states);
        }

        ReadValue(property, property.Property, _body.Map.Of(property.Property), states);
    }

    private void ReadValue(IOperation read, ISymbol member, MemberContracts contracts, List<State> states)
    {
        if (!contracts.IsEmpty)
        {
            ReadContracted(read, member, contracts, states);
        }
    }

    private void ReadContracted(IOperation read, ISymbol member, MemberContracts contracts, List<State> states)
    {
        Contract? bound = MemberContracts.Find(contracts.Result, ContractWord.RcuBound);
        Contract? isProtected = MemberContracts.Find(contracts.Result, ContractWord.RcuProtected);
        Contract? query = contracts.Find(ContractWord.AssertsReadLock);
        if (isProtected is not null)
        {
            Tell(states, s => ProtectionNeed(read, member, isProtected, s), (listener, seen) => listener.ReadProtected(Point(read), member, isProtected, seen));
        }

        if (query is not null && member is IPropertySymbol { GetMethod: { } getter } asserted && asserted.Type.SpecialType == SpecialType.System_Boolean)
        {
            Query(new CallSite(read, getter, (read as IMemberReferenceOperation)?.Instance, System.Collections.Immutable.ImmutableArray<IArgumentOperation>.Empty, contracts), query, states);
            return;
        }

        if (isProtected is null && bound is null)
        {
            return;
        }

        foreach (State state in states)
        {
            int slot = PlaceOf(read, state);
            if (slot != 0 && state.Variables.TryGetValue(slot, out int written))
            {
                state.SetTemporary(read, written);
                continue;
            }

            int value = state.Create(read);
            state.SetTemporary(read, value);
            int owner = (read as IMemberReferenceOperation)?.Instance is { } instance ? ValueOf(instance, state) : 0;
            if (owner != 0 && state.FactsOf(owner).Reclaim == Reclaim.Fresh)
            {
                // What hangs under something nobody can reach is not shared either.
                continue;
            }

            Facts facts = Facts.Nothing with { IsBound = bound is not null, ReadFrom = isProtected is not null && IsEntry(read.Type) ? slot : 0 };
            state.SetFacts(value, WithOrigin(facts, DomainOf((isProtected ?? bound)!, SiteOf(read), state), read, state));
        }
    }

    // A number, not a pointer: what is computed from it and written back is an update.
    private static bool IsEntry(ITypeSymbol? type) => type is { SpecialType: >= SpecialType.System_SByte and <= SpecialType.System_UInt64 or SpecialType.System_IntPtr or SpecialType.System_UIntPtr } or { TypeKind: TypeKind.Enum };

    // Whether a value was computed from what was read from the very place that it is now written to.
    private bool IsMadeFrom(int value, int slot, State state)
    {
        for (int i = 0; i < state.Values.Count && slot != 0; i++)
        {
            if (state.Values.ValueAt(i).ReadFrom == slot && state.Values.KeyAt(i) != value && _table.DependsOn(value, state.Values.KeyAt(i)))
            {
                return true;
            }
        }

        return false;
    }

    private CallSite SiteOf(IOperation read)
        => new(read, null!, (read as IMemberReferenceOperation)?.Instance, System.Collections.Immutable.ImmutableArray<IArgumentOperation>.Empty, MemberContracts.None);

    private Need ProtectionNeed(IOperation read, ISymbol member, Contract contract, State state)
        => new(DomainOf(contract, SiteOf(read), state), member.Name, LockOf(contract, member, (read as IMemberReferenceOperation)?.Instance, state), contract)
        {
            Owner = (read as IMemberReferenceOperation)?.Instance is { } instance ? ValueOf(instance, state) : 0,
        };

    // The value belongs to the outermost section that is open on its domain.
    private Facts WithOrigin(Facts facts, Domain domain, IOperation site, State state)
    {
        foreach (Section section in state.Sections)
        {
            if (Protects(section, domain, state) != false)
            {
                return facts with { Origin = OriginKind.Open, Section = section.Id, OriginSite = site };
            }
        }

        return state.CallerUnknown || state.Locks.Count > 0 ? facts : facts with { Origin = OriginKind.Outside, OriginSite = site };
    }

    private void TellBlock(IOperation operation, string blocking, List<State> states)
        => Tell(states, static _ => Domain.Any, (listener, seen) => listener.Block(Point(operation), blocking, null, seen));

    private void WriteField(IOperation operation, IFieldReferenceOperation field, List<State> states)
    {
        UseInstance(field, field.Instance, states);
        MemberContracts contracts = _body.Map.Of(field.Field);
        if (!contracts.IsEmpty)
        {
            WriteContracted(operation, field, contracts, states);
        }
    }

    private void WriteContracted(IOperation operation, IFieldReferenceOperation field, MemberContracts contracts, List<State> states)
    {
        if (contracts.Find(ContractWord.RequiresWriterLock) is { } needsLock)
        {
            Tell(states, s => LockOf(needsLock, field.Field, field.Instance, s), (listener, seen) => listener.NeedLock(Point(operation), field.Field, needsLock, seen));
        }

        if (MemberContracts.Find(contracts.Result, ContractWord.RcuProtected) is { } isProtected)
        {
            Tell(states, s => field.Instance is { } instance ? ValueOf(instance, s) : 0, (listener, seen) => listener.WriteProtected(Point(operation), field.Field, isProtected, seen));
        }
    }

    private void StoreEvents(IOperation operation, IOperation? place, IOperation value, List<State> states)
    {
        switch (place)
        {
            case IFieldReferenceOperation or IPropertyReferenceOperation:
                ISymbol member = place is IFieldReferenceOperation field ? field.Field : ((IPropertyReferenceOperation)place).Property;
                bool isProtected = (_body.Map.Of(member).ResultWords & ContractWord.RcuProtected) != 0;
                IOperation? instance = ((IMemberReferenceOperation)place).Instance;
                if (!isProtected)
                {
                    PutInto(operation, instance, value, WayOut.StoredIn("'" + member.Name + "'"), states);
                }
                else
                {
                    foreach (State state in states)
                    {
                        Publish(SourceOf(ValueOf(value, state), state), instance is null ? 0 : ValueOf(instance, state), operation, state);
                    }
                }

                break;
            case IArrayElementReferenceOperation element:
                PutInto(operation, element.ArrayReference, value, WayOut.StoredIn("an array"), states);
                break;
            case IParameterReferenceOperation { Parameter.RefKind: RefKind.Out or RefKind.Ref } parameter:
                if ((MemberContracts.Find(ParameterContracts(parameter.Parameter), ContractWord.RcuProtected)) is null)
                {
                    Escape(operation, value, WayOut.GivenOutThrough("'" + parameter.Parameter.Name + "'"), states);
                }

                break;
        }

        foreach (State state in states)
        {
            HandOn(value, place, state);
        }
    }

    // What is put into something made in the same section goes with it; anything else outlives the section.
    private void PutInto(IOperation operation, IOperation? container, IOperation value, WayOut way, List<State> states)
    {
        var outliving = new List<State>();
        foreach (State state in states)
        {
            if (container is null || Outlives(container, value, state))
            {
                outliving.Add(state);
            }
            else
            {
                Carry(ValueOf(container, state), ValueOf(value, state), state);
            }
        }

        Escape(operation, value, way, outliving);
    }

    private static void Carry(int container, int value, State state)
    {
        Facts facts = state.FactsOf(value);
        int section = facts.Carries != 0 ? facts.Carries : facts is { Origin: OriginKind.Open, Holder: Holder.None, IsBound: false } ? facts.Section : 0;
        if (section != 0)
        {
            state.SetFacts(container, state.FactsOf(container) with { Carries = section });
        }
    }

    private bool Outlives(IOperation container, IOperation value, State state)
    {
        // What is put into a struct of the body's own is seen wherever the struct goes.
        if (Resolve(container) is ILocalReferenceOperation { Local.RefKind: RefKind.None, Type: { IsValueType: true } type } && _body.Map.OnType(type).IsEmpty)
        {
            return false;
        }

        int holder = ValueOf(container, state);
        Facts facts = state.FactsOf(ValueOf(value, state));
        if (state.FactsOf(holder) is { Reclaim: Reclaim.Fresh } or { Origin: not OriginKind.None })
        {
            return false;
        }

        Section? section = state.Sections.FirstOrDefault(s => s.Id == facts.Section || s.Id == facts.Carries);
        return !(_table.Info(holder) is { Kind: ValueKind.Site, Tag: IObjectCreationOperation or IArrayCreationOperation or IDefaultValueOperation } info
            && section?.Opener is { } opener && ((IOperation)info.Tag).Syntax.SpanStart > opener.Syntax.SpanStart);
    }

    private void Forge(IOperation operation, ITypeSymbol? type, string how)
    {
        if (_observer is null || operation.IsImplicit || type is not { IsValueType: true } && operation is IDefaultValueOperation || operation.Parent is IBinaryOperation or IIsPatternOperation)
        {
            return;
        }

        if (_body.Map.Scope(type) is { DefaultIsInert: false } && (_body.Contracts.SelfWords & ContractWord.AcquiresReadLock) == 0)
        {
            foreach (FlowListener listener in _observer)
            {
                listener.Forge(Point(operation), type!, how);
            }
        }
    }

    private void CopyEvents(IOperation operation, IOperation value, System.Func<IOperation, string> how)
    {
        if (_observer is null || Names.Unwrap(value) is not (ILocalReferenceOperation or IParameterReferenceOperation or IFieldReferenceOperation) || value.Type is not { IsValueType: true } type)
        {
            return;
        }

        if (_body.Map.Scope(type) is not null || IsGather(type))
        {
            foreach (FlowListener listener in _observer)
            {
                listener.Copy(Point(operation), value, how(operation));
            }
        }
    }

    // An entry that is changed by reading it, computing, and writing it back.
    private void UpdateEvents(IOperation operation, IOperation target, List<State> states)
    {
        if (_observer is null)
        {
            return;
        }

        IOperation? place = Resolve(target);
        Contract? contract = place switch
        {
            IMemberReferenceOperation member => MemberContracts.Find(_body.Map.Of(member.Member).Result, ContractWord.RcuProtected),
            IInvocationOperation call => MemberContracts.Find(_body.Map.Of(call.TargetMethod).Result, ContractWord.RcuProtected),
            _ => null,
        };
        IOperation? through = place is IArrayElementReferenceOperation element ? element.ArrayReference : place is { Kind: OperationKind.None } ? place.ChildOperations.FirstOrDefault() : null;
        if (through is not null && Resolve(through) is { } source)
        {
            contract = source switch
            {
                IMemberReferenceOperation member => MemberContracts.Find(_body.Map.Of(member.Member).Result, ContractWord.RcuProtected),
                IParameterReferenceOperation parameter => MemberContracts.Find(ParameterContracts(parameter.Parameter), ContractWord.RcuProtected),
                IInvocationOperation call => MemberContracts.Find(_body.Map.Of(call.TargetMethod).Result, ContractWord.RcuProtected),
                _ => null,
            };
            if (contract is null && !states.Any(s => s.FactsOf(ValueOf(source, s)).Origin is OriginKind.Open or OriginKind.Outside))
            {
                return;
            }
        }
        else if (contract is null)
        {
            return;
        }

        IOperation? owner = place is IMemberReferenceOperation { Instance: { } instance } ? instance : through;
        Tell(
            states,
            s => new Need(Domain.Any, Names.Of(place), contract is not null && place is IMemberReferenceOperation m ? LockOf(contract, m.Member, m.Instance, s) : 0, contract) { Owner = owner is null ? 0 : ValueOf(owner, s) },
            (listener, seen) => listener.Update(Point(operation), place!, contract, seen));
    }

    private System.Collections.Immutable.ImmutableArray<Contract> ParameterContracts(IParameterSymbol parameter)
        => parameter.ContainingSymbol is IMethodSymbol method ? _body.Map.Of(method).Parameter(parameter.Ordinal) : System.Collections.Immutable.ImmutableArray<Contract>.Empty;

    // A guard, gather or pin that is stored outside the body has a new owner.
    private void HandOn(IOperation value, IOperation? place, State state)
    {
        int handed = ValueOf(value, state);
        Facts facts = state.FactsOf(handed);
        if (facts.Holder == Holder.None || place is ILocalReferenceOperation or null or IDiscardOperation or IFlowCaptureReferenceOperation)
        {
            return;
        }

        HandOver(handed, facts, state);
    }

    private static void HandOver(int handed, Facts facts, State state)
    {
        switch (facts.Holder)
        {
            case Holder.GuardOpen:
                int index = state.Sections.FindIndex(s => s.Id == facts.Section);
                if (index >= 0 && state.Sections[index].Kind == SectionKind.Opened)
                {
                    // Still open, but no longer this body's to close.
                    state.Sections[index] = state.Sections[index] with { Kind = SectionKind.Asserted };
                    state.Touch();
                }

                break;
            case Holder.GatherEmpty or Holder.GatherFilled:
                state.SetFacts(handed, facts with { Holder = Holder.GatherSynced });
                break;
            case Holder.PinHeld:
                state.SetFacts(handed, facts with { Holder = Holder.PinReleased });
                break;
        }
    }

    private void UseInstance(IOperation operation, IOperation? instance, List<State> states)
    {
        // Following a pointer was told of already.
        if (instance is not null and not IInstanceReferenceOperation && Indirection.PointerOf(instance) is null)
        {
            Use(operation, instance, states);
        }
    }

    // Tells of a use where some state makes it worth telling.
    private void Use(IOperation operation, IOperation value, List<State> states)
    {
        if (_observer is not null && IsAnywhere(value, states, static f => f.HasProtocol))
        {
            TellUse(operation, value, states);
        }
    }

    private void TellUse(IOperation operation, IOperation value, List<State> states)
        => Tell(states, s => ValueOf(value, s), (listener, seen) => listener.Use(Point(operation), value, seen));

    private void Escape(IOperation operation, IOperation value, WayOut way, List<State> states)
    {
        if (_observer is not null && IsAnywhere(value, states, static f => f is { Origin: not OriginKind.None } or { Carries: not 0 } or { Holder: Holder.GuardOpen }))
        {
            TellEscape(operation, value, way, states);
        }
    }

    private void TellEscape(IOperation operation, IOperation value, WayOut way, List<State> states)
        => Tell(states, s => ValueOf(value, s), (listener, seen) => listener.Escape(Point(operation), value, way, seen));

    private void Return(IOperation value, List<State> states)
    {
        if (_body.Method is { RefKind: not RefKind.None } && (value as IFieldReferenceOperation)?.Instance is { } referred)
        {
            // A reference into an object keeps it in use.
            Escape(value, referred, WayOut.Returned, states);
        }

        Escape(value, value, WayOut.Returned, states);
        foreach (State state in states)
        {
            int returned = ValueOf(value, state);
            if (_depth > 0)
            {
                // A call in sight: its result is what is returned, and so is what has to be closed.
                state.Write(_table.Slot(_body.Owner), returned);
                continue;
            }

            if (state.FactsOf(returned) is { Holder: not Holder.None } facts)
            {
                HandOver(returned, facts, state);
            }
        }
    }

    /// <summary>Gets the value of the lock that a contract names, seen from a member of an object.</summary>
    private int LockOf(Contract contract, ISymbol member, IOperation? instance, State state)
    {
        if (contract.Lock is not { } name || member.ContainingType is not { } type)
        {
            return 0;
        }

        return MemberValue(type, name, instance is null ? 0 : ValueOf(instance, state), state);
    }

    private int MemberValue(INamedTypeSymbol type, string path, int owner, State state)
    {
        foreach (string part in path.Split('.'))
        {
            if (part == "this")
            {
                continue;
            }

            ISymbol? found = FindMember(type, part);
            if (found is null && owner == _table.This && FindPrimaryParameter(type, part) is { } parameter)
            {
                owner = state.Read(_table.Slot(parameter.OriginalDefinition));
                type = parameter.Type as INamedTypeSymbol ?? type;
                continue;
            }

            if (found is null || (!found.IsStatic && owner == ValueTable.Unknown))
            {
                return ValueTable.Unknown;
            }

            owner = state.Read(_table.Slot(Canonical(found), found.IsStatic ? 0 : owner));
            type = ValueTable.TypeOf(found) as INamedTypeSymbol ?? type;
        }

        return owner;
    }

    /// <summary>Finds a parameter of a type's primary constructor, which its members see as one of their own.</summary>
    internal static IParameterSymbol? FindPrimaryParameter(INamedTypeSymbol type, string name)
        => type.InstanceConstructors
            .Where(static c => c.DeclaringSyntaxReferences.Any(static r => r.GetSyntax() is TypeDeclarationSyntax { ParameterList: not null }))
            .SelectMany(static c => c.Parameters)
            .FirstOrDefault(p => p.Name == name);

    internal static ISymbol? FindMember(INamedTypeSymbol type, string name)
    {
        for (INamedTypeSymbol? t = type; t is not null; t = t.BaseType ?? t.ContainingType)
        {
            foreach (ISymbol member in t.GetMembers(name))
            {
                if (member is IFieldSymbol or IPropertySymbol)
                {
                    return member;
                }
            }
        }

        return type.ContainingType is { } outer ? FindMember(outer, name) : null;
    }
}
