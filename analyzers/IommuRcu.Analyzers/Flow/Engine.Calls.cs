// Calls: first what the rules are told, then what the contracts say the call does.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private const ContractWord SectionWords = ContractWord.AcquiresReadLock | ContractWord.ReleasesReadLock | ContractWord.AssertsReadLock | ContractWord.RefreshesReadLock;

    private void Call(CallSite call, List<State> states)
    {
        if (IsDispose(call))
        {
            TellDispose(call, states);
        }

        if (CallKnown(call, states))
        {
            return;
        }

        CallEvents(call, states);
        if (call is { Method.MethodKind: MethodKind.DelegateInvoke, Instance: { } invoked })
        {
            TellInvoke(call, invoked, states);
        }

        CloseEvents(call, states);
        bool inSight = TryRun(call, states);
        if (!inSight)
        {
            if ((call.Contracts.SelfWords & (SectionWords | ContractWord.WaitsForGracePeriod)) == 0 && !IsHolderCall(call, states) && !IsGuardClose(call, states)
                && !(call.Contracts.IsEmpty && _body.Member.CannotThrow(call.Method)))
            {
                MayThrow(call.Operation, states, call.Contracts.IsEmpty);
            }

            RunDelegates(call, states);
        }

        if (call.Contracts.Find(ContractWord.AssertsReadLock) is { } query && call.Method.ReturnType.SpecialType == SpecialType.System_Boolean)
        {
            Query(call, query, states);
            return;
        }

        if (states.Count == 1)
        {
            Effects(call, inSight ? TakeReturned(call, states[0]) : ValueTable.Unknown, inSight, states[0], states);
        }
        else
        {
            // States may part off or end on the way.
            foreach (State state in states.ToArray())
            {
                Effects(call, inSight ? TakeReturned(call, state) : ValueTable.Unknown, inSight, state, states);
            }
        }

        if (call.Contracts.Find(ContractWord.WaitsForGracePeriod) is not null && !IsTask(call.Method.ReturnType))
        {
            // A wait that throws has waited, as far as the handler goes.
            MayThrow(call.Operation, states, leavesFunction: false);
        }
    }

    private void TellDispose(CallSite call, List<State> states)
        => Tell(states, s => ValueOf(call.Instance!, s), (listener, seen) => listener.Dispose(Point(call.Operation), call.Instance!, seen));

    private void TellInvoke(CallSite call, IOperation invoked, List<State> states)
        => Tell(states, s => ValueOf(invoked, s), (listener, seen) => listener.Invoke(Point(call.Operation), call, seen));

    private static bool IsDispose(CallSite call)
        => call.Instance is not null && call.Method is { Name: "Dispose" or "DisposeAsync" or "Close", Parameters.IsEmpty: true };

    private bool IsGuardClose(CallSite call, List<State> states)
        => IsDispose(call) && (_body.Map.Scope(call.Instance!.Type) is not null || IsAnywhere(call.Instance, states, static f => f.Holder is Holder.GuardOpen or Holder.GuardClosed or Holder.GuardInert));

    private bool IsHolderCall(CallSite call, List<State> states)
        => IsDispose(call) && IsAnywhere(call.Instance!, states, static f => f.Holder != Holder.None);

    // Members that the source does not spell, where they have contracts.
    private void CallImplicit(IOperation operation, IOperation? instance, List<State> states)
    {
        foreach (IMethodSymbol method in ImplicitMembers.Of(operation, _body.Map, _body.Member.Model))
        {
            if (_body.Map.Of(method) is { IsEmpty: false } contracts)
            {
                CallEvents(new CallSite(operation, method, instance, ImmutableArray<IArgumentOperation>.Empty, contracts), states);
            }
        }
    }

    private void CallOperator(IOperation operation, List<State> states)
    {
        if (ImplicitMembers.OperatorOf(operation) is { } method && _body.Map.Of(method) is { IsEmpty: false } contracts)
        {
            IOperation? instance = method.IsStatic ? null : operation.ChildOperations.FirstOrDefault();
            CallEvents(new CallSite(operation, method, instance, ImmutableArray<IArgumentOperation>.Empty, contracts), states);
        }
    }

    // A pattern reads members of what it is held against.
    private void ReadPattern(IOperation test, IPatternOperation pattern, IOperation? input, List<State> states)
    {
        CallImplicit(pattern, input, states);
        foreach (IOperation child in pattern.ChildOperations)
        {
            switch (child)
            {
                case IPropertySubpatternOperation sub:
                    if (input is not null)
                    {
                        Use(test, input, states);
                    }

                    ReadPatternMember(sub.Member, input, states);
                    ReadPattern(test, sub.Pattern, null, states);
                    break;
                case IPatternOperation inner:
                    // The parts of a pattern by position are held against other values.
                    ReadPattern(test, inner, pattern is IBinaryPatternOperation or INegatedPatternOperation ? input : null, states);
                    break;
            }
        }
    }

    private void ReadPatternMember(IOperation member, IOperation? input, List<State> states)
    {
        if (member is IPropertyReferenceOperation { Property: { GetMethod: { } getter } property } && _body.Map.Of(getter) is { IsEmpty: false } contracts)
        {
            _ = property;
            CallEvents(new CallSite(member, getter, input, ImmutableArray<IArgumentOperation>.Empty, contracts), states);
        }
    }

    // What the rules hear of a call, an accessor or a constructor, before its effects.
    private void CallEvents(CallSite call, List<State> states)
    {
        MemberContracts contracts = call.Contracts;
        if (_observer is not null)
        {
            foreach (FlowListener listener in _observer)
            {
                listener.Call(Point(call.Operation), call, states);
            }

            bool takesValues = contracts.IsEmpty;
            if (!IsDispose(call))
            {
                UseInstance(call.Operation, call.Instance, states);
            }

            foreach (IArgumentOperation argument in call.Arguments)
            {
                if (argument.Parameter is { } parameter && (takesValues || (WordsOf(contracts.Parameter(parameter.Ordinal)) & ReclaimWords) == 0) && argument.Value is not IFlowAnonymousFunctionOperation)
                {
                    Use(call.Operation, argument.Value, states);
                }
            }
        }

        if (call.Operation is not IPropertyReferenceOperation)
        {
            if (KnownMembers.RunsElsewhere(call.Method))
            {
                foreach (IArgumentOperation argument in call.Arguments)
                {
                    if (argument.Parameter?.Name is "state" or "parameter")
                    {
                        Escape(argument, argument.Value, WayOut.HandedToThreadBy("'" + call.Name + "'"), states);
                    }
                }
            }

            StoreInCollection(call, states);
            foreach (IArgumentOperation argument in call.Arguments)
            {
                if (argument.Parameter is { RefKind: RefKind.Out } && Refer(argument.Value) is IFieldReferenceOperation written)
                {
                    WriteField(argument, written, states);
                }

                if (argument.Parameter is { RefKind: RefKind.None })
                {
                    CopyEvents(argument, argument.Value, static o => "as an argument of '" + ((IArgumentOperation)o).Parameter!.ContainingSymbol.Name + "'");
                }
            }

            if (call.Operation is IObjectCreationOperation creation)
            {
                Forge(creation, creation.Type, "'new'");
            }
        }

        HelperEvents(call, states);
        if (!contracts.IsEmpty)
        {
            ContractEvents(call, contracts, states);
        }
    }

    private void ContractEvents(CallSite call, MemberContracts contracts, List<State> states)
    {
        foreach (Contract contract in contracts.Self)
        {
            switch (contract.Word)
            {
                case ContractWord.RequiresReadLock:
                    Tell(states, s => new Need(DomainOf(contract, call, s), call.Method.AssociatedSymbol?.Name ?? call.Method.Name, LockOf(contract, call, s), contract) { Stale = StaleArgument(call, s) }, (listener, seen) => listener.Need(Point(call.Operation), seen));
                    break;
                case ContractWord.WaitsForGracePeriod:
                    Tell(states, s => DomainOf(contract, call, s), (listener, seen) => listener.Wait(Point(call.Operation), call.Method, seen));
                    break;
                case ContractWord.MayBlock:
                    Tell(states, s => contract.Domain is null && contract.DomainType is null ? Domain.Any : DomainOf(contract, call, s), (listener, seen) => listener.Block(Point(call.Operation), call.Name, null, seen));
                    break;
                case ContractWord.RequiresWriterLock when call.Operation is not IPropertyReferenceOperation || call.Method.MethodKind == MethodKind.PropertySet:
                    Tell(states, s => LockOf(contract, call, s), (listener, seen) => listener.NeedLock(Point(call.Operation), call.Method, contract, seen));
                    break;
                case ContractWord.AcquiresReadLock:
                    Tell(states, s => DomainOf(contract, call, s), (listener, seen) => listener.Open(Point(call.Operation), call.Method, seen));
                    break;
                case ContractWord.AssertsReadLock:
                    Tell(states, s => DomainOf(contract, call, s), (listener, seen) => listener.Assert(Point(call.Operation), call.Method, seen));
                    break;
            }
        }

        ReclaimEvents(call, states);
    }

    private static ContractWord WordsOf(ImmutableArray<Contract> contracts)
    {
        ContractWord words = ContractWord.None;
        foreach (Contract contract in contracts)
        {
            words |= contract.Word;
        }

        return words;
    }

    // Applies a call's contracts to a state; where they hang on a result, the state parts in two.
    private void Effects(CallSite call, int returned, bool inSight, State state, List<State> states)
    {
        int result = returned != ValueTable.Unknown ? returned : state.Create(call.Operation);
        state.SetTemporary(call.Operation, result);
        if (call.Operation is IObjectCreationOperation)
        {
            state.SetFacts(result, Facts.Nothing with { Range = Range.Full.Without(0)!.Value });
        }

        if (!inSight)
        {
            WriteOutArguments(call, state);
        }

        if (call.Instance is { } filling && !IsDispose(call) && (call.Contracts.SelfWords & (ContractWord.FlushesIotlb | ContractWord.Retires | ContractWord.Frees)) == 0)
        {
            Fill(ValueOf(filling, state), state);
        }

        FillEmpty(call, state);
        NoteShutdown(call, state);
        ForgetMembers(call, state);
        if (call.Contracts.IsEmpty)
        {
            Produce(call, result, state, null);
            CloseHolder(call, state);
            return;
        }

        if ((call.Contracts.SelfWords & AwaitedWords) != 0 && IsTask(call.Method.ReturnType))
        {
            // The section opens or closes, the wait is over, when the task is.
            (_pendingCalls ??= new Dictionary<IOperation, CallSite>())[call.Operation] = call;
            state.SetFacts(result, state.FactsOf(result) with { Pending = call.Operation });
            return;
        }

        Take(call, result, state, states);
    }

    // What a call does when it is done; its result says whether, where the contracts hang on it.
    private void Take(CallSite call, int result, State state, List<State> states)
    {
        Contract? when = FindWhen(call);
        if (when is null)
        {
            Apply(call, result, state, null);
            return;
        }

        int decided = when.WhenParameter is { } name
            ? call.Argument(name) is { } argument ? argument.Parameter!.RefKind == RefKind.Out ? OutValue(argument, state) : ValueOf(argument, state) : ValueTable.Unknown
            : result;
        State other = state.Clone();
        bool first = Assume(state, decided, true);
        bool second = Assume(other, decided, false);
        if (first)
        {
            Apply(call, result, state, true);
        }

        if (second)
        {
            Apply(call, result, other, false);
        }

        if (first && second)
        {
            states.Add(other);
        }
        else if (second)
        {
            states[states.IndexOf(state)] = other;
        }
        else if (!first)
        {
            states.Remove(state);
        }
    }

    private const ContractWord AwaitedWords = ContractWord.AcquiresReadLock | ContractWord.ReleasesReadLock | ContractWord.RefreshesReadLock | ContractWord.WaitsForGracePeriod;

    private static bool IsTask(ITypeSymbol type)
        => type is INamedTypeSymbol { Name: "Task" or "ValueTask", ContainingNamespace: { Name: "Tasks", ContainingNamespace: { Name: "Threading", ContainingNamespace.Name: "System" } } };

    /// <summary>Gets what a call gives: of a task, what it gives when it is waited for.</summary>
    internal static ITypeSymbol ResultType(IMethodSymbol method)
        => method.ReturnType is INamedTypeSymbol { TypeArguments.Length: 1 } task && IsTask(task) ? task.TypeArguments[0] : method.ReturnType;

    // A task that is waited for, in whatever way: what its call does is done.
    private void Await(IOperation task, IOperation site, List<State> states)
    {
        foreach (State state in states.ToArray())
        {
            int value = ValueOf(task, state);
            Facts facts = state.FactsOf(value);
            if (facts.Pending is not { } pending || _pendingCalls is null || !_pendingCalls.TryGetValue(pending, out CallSite? call))
            {
                continue;
            }

            state.SetFacts(value, facts with { Pending = null });
            int result = state.Create(site);
            state.SetTemporary(site, result);
            if (call.Contracts.IsEmpty)
            {
                // A lock that may not be had in time.
                State failed = state.Clone();
                Assume(failed, result, false);
                states.Add(failed);
                Assume(state, result, true);
                TakeLock(call.Instance!, call.Operation, state);
                continue;
            }

            Take(call, result, state, states);
        }
    }

    private static Contract? FindWhen(CallSite call)
    {
        MemberContracts contracts = call.Contracts;

        Contract? Find(ImmutableArray<Contract> list)
        {
            foreach (Contract contract in list)
            {
                if (contract.When is not null && contract.Word != ContractWord.None)
                {
                    return contract;
                }
            }

            return null;
        }

        if ((Find(contracts.Self) ?? Find(contracts.Result)) is { } found)
        {
            return found;
        }

        // A wait that may give up says whether it did not.
        if (contracts.Find(ContractWord.WaitsForGracePeriod) is { } wait && ResultType(call.Method).SpecialType == SpecialType.System_Boolean)
        {
            return wait;
        }

        for (int i = 0; i < 32; i++)
        {
            if (Find(contracts.Parameter(i)) is { } parameter)
            {
                return parameter;
            }
        }

        return null;
    }

    private bool Holds(Contract contract, bool? decided)
        => decided is null || !Can(Abilities.TryEnter) || (contract.When ?? (contract.Word == ContractWord.WaitsForGracePeriod ? true : decided)) == decided;

    private void Apply(CallSite call, int result, State state, bool? decided)
    {
        MemberContracts contracts = call.Contracts;
        foreach (Contract contract in contracts.Self)
        {
            bool holds = Holds(contract, decided);
            switch (contract.Word)
            {
                case ContractWord.AcquiresReadLock when holds:
                    Open(call, contract, result, state);
                    break;
                case ContractWord.AcquiresReadLock when contract.ElseHeld:
                    Prove(DomainOf(contract, call, state), call.Operation, contract.Sleepable, state);
                    break;
                case ContractWord.ReleasesReadLock when holds && !IsGuardValue(call, state):
                    Close(call, contract, state);
                    break;
                case ContractWord.RefreshesReadLock when holds:
                    Refresh(DomainOf(contract, call, state), call.Operation, state);
                    break;
                case ContractWord.AssertsReadLock when ResultType(call.Method).SpecialType != SpecialType.System_Boolean:
                    Prove(DomainOf(contract, call, state), call.Operation, false, state);
                    break;
                case ContractWord.WaitsForGracePeriod when holds:
                    GracePeriod(call, state);
                    break;
            }
        }

        ReclaimEffects(call, result, state, decided);
        Produce(call, result, state, decided);
        CloseHolder(call, state);
    }

    private bool IsGuardValue(CallSite call, State state)
        => call.Instance is not null && (_body.Map.Scope(call.Instance.Type) is not null || state.FactsOf(ValueOf(call.Instance, state)).Holder is Holder.GuardOpen or Holder.GuardClosed or Holder.GuardInert);

    // What is known of a call's result from its contracts and its type.
    private void Produce(CallSite call, int result, State state, bool? decided)
    {
        ITypeSymbol? type = call.Operation is IObjectCreationOperation ? call.Method.ContainingType : ResultType(call.Method);
        if (call.Method.ReturnsVoid && call.Operation is not IObjectCreationOperation)
        {
            return;
        }

        ContractMap map = _body.Map;
        Contract? isProtected = MemberContracts.Find(call.Contracts.Result, ContractWord.RcuProtected)
            ?? (call.Operation is IObjectCreationOperation ? null : map.FindOnType(type, ContractWord.RcuProtected));
        if (isProtected is not null && Holds(isProtected, decided))
        {
            state.SetFacts(result, WithOrigin(state.FactsOf(result), DomainOf(isProtected, call, state), call.Operation, state));
        }

        if (MemberContracts.Find(call.Contracts.Result, ContractWord.RcuBound) is { } bound)
        {
            state.SetFacts(result, WithOrigin(state.FactsOf(result) with { IsBound = true }, DomainOf(bound, call, state), call.Operation, state));
        }

        if (map.FindOnType(type, ContractWord.TableGather) is not null)
        {
            int owner = call.Arguments.Length > 0 ? ValueOf(call.Arguments[0].Value, state) : 0;
            state.SetFacts(result, state.FactsOf(result) with { Holder = Holder.GatherEmpty, OriginSite = call.Operation, Allocator = owner });
        }
        else if (map.FindOnType(type, ContractWord.MustDispose) is not null)
        {
            state.SetFacts(result, state.FactsOf(result) with { Holder = Holder.PinHeld, OriginSite = call.Operation });
        }
        else if (map.Scope(type) is not null && state.FactsOf(result).Holder == Holder.None && call.Operation is not IObjectCreationOperation)
        {
            // A guard from a method without a contract of its own: its section is open all the same.
            if ((call.Contracts.SelfWords & ContractWord.AcquiresReadLock) == 0)
            {
                OpenSection(Domain.Any, call.Operation, false, type, result, state);
            }
        }
        else if (call.Operation is IObjectCreationOperation && type is INamedTypeSymbol named && _body.Member.IsPublishable(named))
        {
            state.SetFacts(result, state.FactsOf(result) with { Reclaim = Reclaim.Fresh });
        }
    }

    private void WriteOutArguments(CallSite call, State state)
    {
        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (argument.Parameter is not { RefKind: RefKind.Out or RefKind.Ref } parameter)
            {
                continue;
            }

            int slot = PlaceOf(argument.Value, state);
            if (slot == 0)
            {
                continue;
            }

            int before = state.Read(slot);
            bool keeps = parameter.RefKind == RefKind.Ref
                && (state.FactsOf(before).Holder != Holder.None || (WordsOf(call.Contracts.Parameter(parameter.Ordinal)) & ~ContractWord.RcuProtected) != ContractWord.None || argument.Value.Type is { IsValueType: true, TypeKind: TypeKind.Struct, SpecialType: SpecialType.None });
            if (keeps)
            {
                Lend(before, call, parameter, state);
                continue;
            }

            int after = state.Create(argument, 1);
            state.Write(slot, after);
            if (parameter.RefKind == RefKind.Out && _body.Map.Scope(parameter.Type) is not null && (call.Contracts.SelfWords & ContractWord.AcquiresReadLock) == 0)
            {
                OpenSection(Domain.Any, call.Operation, false, parameter.Type, after, state);
            }
            else if ((MemberContracts.Find(call.Contracts.Parameter(parameter.Ordinal), ContractWord.RcuProtected) ?? _body.Map.FindOnType(parameter.Type, ContractWord.RcuProtected)) is { } isProtected)
            {
                state.SetFacts(after, WithOrigin(state.FactsOf(after), DomainOf(isProtected, call, state), call.Operation, state));
            }
            else if (parameter.RefKind == RefKind.Out && _body.Map.FindOnType(parameter.Type, ContractWord.MustDispose) is not null)
            {
                state.SetFacts(after, state.FactsOf(after) with { Holder = Holder.PinHeld, OriginSite = call.Operation });
            }
        }
    }

    // A call may put something else where a page was that has been unlinked, retired or freed: what is found there next is another one.
    private void ForgetMembers(CallSite call, State state)
    {
        for (int i = state.Variables.Count - 1; i >= 0; i--)
        {
            if (IsOnItsWayOut(state.FactsOf(state.Variables.ValueAt(i)).Reclaim)
                && MayChange(state.Variables.KeyAt(i), call, state))
            {
                state.Write(state.Variables.KeyAt(i), state.Create(call.Operation, 100 + i));
            }
        }

        for (int i = state.Values.Count - 1; i >= 0; i--)
        {
            // What a place has held from the start, and nobody wrote in this body.
            int value = state.Values.KeyAt(i);
            if (IsOnItsWayOut(state.Values.ValueAt(i).Reclaim)
                && _table.Info(value) is { Kind: ValueKind.Initial } info && !state.Variables.TryGetValue(info.A, out _) && MayChange(info.A, call, state))
            {
                state.Write(info.A, state.Create(call.Operation, 200 + i));
            }
        }
    }

    private static bool IsOnItsWayOut(Reclaim reclaim)
        => reclaim is Reclaim.Unlinked or Reclaim.Quiescent or Reclaim.Gathered or Reclaim.Flushed or Reclaim.Retired or Reclaim.Freed;

    // Whether a call can write a member: its own object's, or one that is within the reach of what is called.
    private bool MayChange(int slot, CallSite call, State state)
    {
        SlotInfo info = _table.SlotInfo(slot);
        if (info.Symbol is not (IFieldSymbol { IsReadOnly: false } or IPropertySymbol))
        {
            return false;
        }

        if (info.Index != 0 && ((call.Instance is { } instance && IsWithin(info.Index, ValueOf(instance, state)))
            || call.Arguments.Any(a => IsWithin(info.Index, ValueOf(a.Value, state)))))
        {
            return true;
        }

        return call.Contracts.IsEmpty && !KnownMembers.IsSystem(call.Method.ContainingType)
            && (call.Method.MethodKind is MethodKind.DelegateInvoke || info.Symbol.DeclaredAccessibility != Accessibility.Private
                || SymbolEqualityComparer.Default.Equals(call.Method.ContainingType.OriginalDefinition, info.Symbol.ContainingType.OriginalDefinition));
    }

    private bool IsWithin(int value, int owner) => owner != ValueTable.Unknown && owner != _table.This && _table.DependsOn(value, owner);

    // What is put into a list of fresh pages decides what the list is from then on.
    private void FillEmpty(CallSite call, State state)
    {
        if (call.Instance is not { Type.IsValueType: true } instance || ValueOf(instance, state) is var list && state.FactsOf(list).Reclaim != Reclaim.Fresh)
        {
            return;
        }

        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (state.FactsOf(ValueOf(argument.Value, state)) is { Reclaim: Reclaim.Published or Reclaim.Unlinked or Reclaim.Gathered } put)
            {
                state.SetFacts(ValueOf(instance, state), state.FactsOf(ValueOf(instance, state)) with { Reclaim = put.Reclaim, ReclaimSite = put.ReclaimSite });
            }
        }
    }

    // A gather that is lent by reference, or used itself, may come back with pages on its list.
    private static void Fill(int gather, State state)
    {
        if (state.FactsOf(gather) is { Holder: Holder.GatherEmpty or Holder.GatherSynced } facts)
        {
            state.SetFacts(gather, facts with { Holder = Holder.GatherFilled });
        }
    }

    // What is lent by reference comes back filled, unless whoever had it is seen to sync it.
    private void Lend(int value, CallSite call, IParameterSymbol parameter, State state)
    {
        Fill(value, state);
        if (state.FactsOf(value) is { Holder: Holder.GatherFilled } filled
            && ((call.Contracts.SelfWords & ContractWord.FlushesIotlb) != 0 || _body.Member.SyncsLent(call.Method.OriginalDefinition, parameter.Ordinal)))
        {
            state.SetFacts(value, filled with { Holder = Holder.GatherSynced });
        }
    }

    private int OutValue(IArgumentOperation argument, State state)
        => PlaceOf(argument.Value, state) is var slot && slot != 0 ? state.Read(slot) : ValueTable.Unknown;

    /// <summary>Finds the domain that a contract speaks of at a call.</summary>
    private Domain DomainOf(Contract contract, CallSite call, State state)
    {
        if (contract.DomainType is { } type)
        {
            return Domain.Of(type);
        }

        if (contract.Domain is { } name)
        {
            return NamedDomain(name, call, state);
        }

        ITypeSymbol? declaring = call.Method?.ContainingType ?? (call.Operation as IMemberReferenceOperation)?.Member.ContainingType;
        bool isStatic = call.Method?.IsStatic ?? (call.Operation as IMemberReferenceOperation)?.Member.IsStatic ?? false;
        if (isStatic)
        {
            return declaring is not null && _body.Map.Acquires(declaring) ? Domain.Of(declaring) : Domain.Any;
        }

        if (call.Instance is { } instance && (_body.Map.Acquires(Names.Unwrap(instance)?.Type ?? instance.Type) || _body.Map.Acquires(declaring)))
        {
            return Domain.Of(ValueOf(instance, state), instance.Type);
        }

        return Domain.Any;
    }

    private Domain NamedDomain(string name, CallSite call, State state)
    {
        if (call.Argument(name) is { } argument)
        {
            return Domain.Of(ValueOf(argument, state), argument.Value.Type);
        }

        INamedTypeSymbol? type = call.Method?.ContainingType ?? (call.Operation as IMemberReferenceOperation)?.Member.ContainingType;
        if (type is null)
        {
            return Domain.Any;
        }

        int value = MemberValue(type, name, call.Instance is { } instance ? ValueOf(instance, state) : ValueTable.Unknown, state);
        return value == ValueTable.Unknown ? Domain.Any : Domain.Of(value, null);
    }

    private int LockOf(Contract contract, CallSite call, State state)
    {
        if (contract.Lock is not { } name)
        {
            return 0;
        }

        return call.Argument(name) is { } argument
            ? ValueOf(argument, state)
            : MemberValue(call.Method.ContainingType, name, call.Instance is { } instance ? ValueOf(instance, state) : 0, state);
    }
}
