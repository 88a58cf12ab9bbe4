// Calls of the base library that the analysis understands: atomic exchanges, locks, assertions, what blocks, native memory.
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
    // Handles a known call. Returns whether nothing is left to be done for it.
    private bool CallKnown(CallSite call, List<State> states)
    {
        INamedTypeSymbol type = call.Method.ContainingType;
        if (KnownMembers.IsRcu(type))
        {
            return CallExchange(call, states);
        }

        if (!KnownMembers.IsSystem(type))
        {
            return DoesNotReturn(call, states);
        }

        if (BlockingMembers.Of(call.Method, call.Instance, call.Arguments) is { } blocking)
        {
            TellBlock(call.Operation, blocking, states);
        }

        if (call is { Method.Name: "Wait" or "WaitOne", Instance: { } signal })
        {
            states.ForEach(s => HearFrom(ValueOf(signal, s), s));
        }

        return type.Name switch
        {
            _ when call.Method.Name is "ConfigureAwait" or "GetAwaiter" or "AsTask" or "Preserve" => CallThrough(call, call.Instance ?? call.Argument(0)?.Value, states),
            _ when call.Method.Name is "GetResult" && type.Name.EndsWith("Awaiter", System.StringComparison.Ordinal) => CallAwaited(call, call.Instance, states),
            "Task" when call.Method.Name == "Wait" && call.Arguments.IsEmpty => CallAwaited(call, call.Instance, states),
            "Interlocked" => CallExchange(call, states),
            "Volatile" => CallVolatile(call, states),
            "Monitor" when call.Method.Name != "Wait" => CallLock(call, states, call.Argument(0)?.Value),
            "Lock" or "ReaderWriterLockSlim" or "SemaphoreSlim" or "Mutex" or "SpinLock" => CallLock(call, states, call.Instance),
            "WaitHandle" when Names.Unwrap(call.Instance)?.Type?.Name == "Mutex" => CallLock(call, states, call.Instance),
            "Span" or "ReadOnlySpan" when Indirection.BaseOf(call.Operation) is { } pointer => CallSpan(call, pointer, states),
            "Debug" or "Trace" or "Contract" when call.Method.Name is "Assert" or "Assume" => CallAssert(call, states),
            "ArgumentNullException" when call.Method.Name == "ThrowIfNull" => CallThrowIfNull(call, states),
            "NativeMemory" or "Marshal" => CallNative(call, states),
            "Object" when call.Method.Name == "ReferenceEquals" && call.Arguments.Length == 2 => CallReferenceEquals(call, states),
            "Math" => CallMath(call, states),
            "Environment" when call.Method.Name is "FailFast" or "Exit" => EndOfProcess(states),
            "Unsafe" when call.Method.Name is "As" or "AsRef" => CallThrough(call, call.Argument(0)?.Value, states),
            "Nullable" when call.Method.Name == "GetValueOrDefault" && call.Arguments.IsEmpty => CallThrough(call, call.Instance, states),
            _ => DoesNotReturn(call, states),
        };
    }

    // A span over memory that a pointer leads to is valid as long as the pointer is.
    private bool CallSpan(CallSite call, IOperation pointer, List<State> states)
    {
        CallEvents(call, states);
        foreach (State state in states)
        {
            Facts facts = AddressFrom(ValueOf(pointer, state), state);
            int span = state.Create(call.Operation);
            state.SetTemporary(call.Operation, span);
            state.SetFacts(span, facts);
        }

        return true;
    }

    private bool CallReferenceEquals(CallSite call, List<State> states)
    {
        foreach (State state in states)
        {
            state.SetTemporary(call.Operation, _table.Equal(ValueOf(call.Argument(0)!, state), ValueOf(call.Argument(1)!, state)));
        }

        return true;
    }

    // What is computed from a bound is one.
    private bool CallMath(CallSite call, List<State> states)
    {
        foreach (State state in states)
        {
            int result = state.Create(call.Operation);
            state.SetTemporary(call.Operation, result);
            foreach (IArgumentOperation argument in call.Arguments)
            {
                if (state.FactsOf(ValueOf(argument, state)) is { IsBound: true } bound)
                {
                    state.SetFacts(result, Facts.Nothing with { IsBound = true, Origin = bound.Origin, Section = bound.Section, OriginSite = bound.OriginSite });
                }
            }
        }

        return true;
    }

    private static bool EndOfProcess(List<State> states)
    {
        states.Clear();
        return true;
    }

    private bool DoesNotReturn(CallSite call, List<State> states)
    {
        if (!call.Method.ReturnsVoid || !_body.Map.DoesNotReturn(call.Method))
        {
            return false;
        }

        IReadOnlyList<FlowListener>? observer = _observer;
        _observer = null;
        foreach (State state in states)
        {
            state.ClearTemporaries();
            Throw(_block!.EnclosingRegion, state.Clone(), ExitKind.Throw, call.Operation, null);
        }

        _observer = observer;
        states.Clear();
        return true;
    }

    private bool CallExchange(CallSite call, List<State> states)
    {
        bool compare = call.Method.Name == "CompareExchange";
        if ((!compare && call.Method.Name is not ("Exchange" or "Assign")) || call.Arguments.Length < 2)
        {
            return false;
        }

        CallEvents(call, states);
        IOperation location = call.Argument(0)!.Value;
        IOperation value = call.Argument(1)!.Value;
        StoreAtomically(location, value, call.Operation, states);
        foreach (State state in states.ToArray())
        {
            int old = state.Create(call.Operation);
            state.SetTemporary(call.Operation, old);
            int stored = ValueOf(value, state);
            if (!compare)
            {
                Store(location, stored, call.Operation, state);
                if (call.Method.Name == "Exchange" && IsShared(location))
                {
                    Take(old, call.Operation, state);
                }

                continue;
            }

            int comparand = ValueOf(call.Argument(2)!.Value, state);
            State lost = state.Clone();
            bool won = Assume(state, _table.Equal(old, comparand), true);
            if (won)
            {
                state.SetTemporary(call.Operation, old);
                if (_table.Info(comparand).Kind != ValueKind.Constant)
                {
                    // What was expected there is what was taken out.
                    state.SetTemporary(call.Operation, comparand);
                    if (IsShared(location) && comparand != stored && state.FactsOf(comparand).Reclaim is Reclaim.None or Reclaim.Published)
                    {
                        Take(comparand, call.Operation, state);
                    }
                }

                Store(location, stored, call.Operation, state);
            }

            bool loses = Assume(lost, _table.Equal(old, comparand), false);
            if (won && loses)
            {
                states.Add(lost);
            }
            else if (loses)
            {
                states[states.IndexOf(state)] = lost;
            }
        }

        return true;
    }

    // What an atomic exchange took out of a shared place no new reader finds there.
    private static void Take(int value, IOperation site, State state)
        => state.SetFacts(value, state.FactsOf(value) with { Reclaim = Reclaim.Unlinked, ReclaimSite = site, Origin = OriginKind.None, Section = 0 });

    // A value that is stored atomically is stored all the same.
    private void StoreAtomically(IOperation location, IOperation value, IOperation site, List<State> states)
    {
        if (Refer(location) is IMemberReferenceOperation { Member: { } member, Instance: var instance } && (_body.Map.Of(member).ResultWords & ContractWord.RcuProtected) == 0)
        {
            PutInto(site, instance, value, WayOut.StoredIn("'" + member.Name + "'"), states);
        }
    }

    private void Store(IOperation location, int stored, IOperation site, State state)
    {
        int source = SourceOf(stored, state);
        if (source != 0 && IsShared(location) && state.FactsOf(source).Reclaim == Reclaim.Fresh)
        {
            Publish(source, OwnerOf(location, state), site, state);
        }

        if (PlaceOf(location, state) is var slot && slot != 0)
        {
            state.Write(slot, stored);
        }
    }

    private bool IsShared(IOperation location)
        => Resolve(location) is not (ILocalReferenceOperation { Local.RefKind: RefKind.None } or IParameterReferenceOperation { Parameter.RefKind: RefKind.None });

    private int OwnerOf(IOperation location, State state)
        => Resolve(location) is IMemberReferenceOperation { Instance: { } instance } ? SourceOf(ValueOf(instance, state), state)
            : Resolve(location) is IArrayElementReferenceOperation { ArrayReference: { } array } ? SourceOf(ValueOf(array, state), state)
            : 0;

    private bool CallVolatile(CallSite call, List<State> states)
    {
        if (call.Argument(0)?.Value is not { } location)
        {
            return false;
        }

        CallEvents(call, states);
        if (call.Method.Name == "Write" && call.Argument(1)?.Value is { } value)
        {
            if (Refer(location) is { } place && (ReadsBack(value, place) || states.Any(s => IsMadeFrom(ValueOf(value, s), PlaceOf(location, s), s))))
            {
                UpdateEvents(call.Operation, place, states);
            }

            StoreAtomically(location, value, call.Operation, states);
            foreach (State state in states)
            {
                Store(location, ValueOf(value, state), call.Operation, state);
            }

            return true;
        }

        if (call.Method.Name != "Read")
        {
            return false;
        }

        // A volatile read gives the value without saying that it is used inside a section.
        MemberContracts contracts = Refer(location) is IMemberReferenceOperation { Member: { } member } ? _body.Map.Of(member) : MemberContracts.None;
        Contract? isProtected = MemberContracts.Find(contracts.Result, ContractWord.RcuProtected);
        Contract? bound = MemberContracts.Find(contracts.Result, ContractWord.RcuBound);
        Contract? contract = isProtected ?? bound;
        foreach (State state in states)
        {
            int slot = PlaceOf(location, state);
            if (contract is null || (slot != 0 && state.Variables.TryGetValue(slot, out _)))
            {
                state.SetTemporary(call.Operation, slot != 0 ? state.Read(slot) : state.Create(call.Operation));
                continue;
            }

            int read = state.Create(call.Operation);
            state.SetTemporary(call.Operation, read);
            Facts facts = Facts.Nothing with { IsBound = bound is not null, ReadFrom = isProtected is not null && IsEntry(call.Method.ReturnType) ? slot : 0 };
            state.SetFacts(read, WithOrigin(facts, DomainOf(contract, SiteOf(Refer(location)!), state), call.Operation, state));
        }

        return true;
    }

    private bool CallLock(CallSite call, List<State> states, IOperation? target)
    {
        if (target is null)
        {
            return false;
        }

        // Whoever gives up in time waits for nobody for ever.
        if (call.Method.Name is "Enter" or "EnterScope" or "EnterReadLock" or "EnterWriteLock" or "EnterUpgradeableReadLock" or "Wait" or "WaitOne"
            && call.Arguments.All(static a => a.Parameter?.RefKind == RefKind.Ref || a.Parameter?.Type.SpecialType == SpecialType.System_Object))
        {
            TellLock(call.Operation, target, states);
        }

        switch (call.Method.Name)
        {
            case "Enter" or "EnterWriteLock" or "EnterUpgradeableReadLock":
                CallEvents(call, states);
                foreach (State state in states)
                {
                    TakeLock(target, call.Operation, state);
                    foreach (IArgumentOperation argument in call.Arguments)
                    {
                        if (argument.Parameter is { RefKind: RefKind.Ref } && PlaceOf(argument.Value, state) is var taken && taken != 0)
                        {
                            state.Write(taken, _table.True);
                        }
                    }
                }

                return true;
            case "Wait" or "WaitAsync" or "WaitOne" when call.Method.ReturnsVoid || call.Arguments.All(static a => a.IsImplicit || a.Parameter?.Type.Name == "CancellationToken"):
                CallEvents(call, states);
                foreach (State state in states)
                {
                    TakeLock(target, call.Operation, state);
                    state.SetTemporary(call.Operation, _table.True);
                }

                return true;
            case "WaitAsync" when ResultType(call.Method).SpecialType == SpecialType.System_Boolean:
                CallEvents(call, states);
                (_pendingCalls ??= new Dictionary<IOperation, CallSite>())[call.Operation] = call;
                foreach (State state in states)
                {
                    int task = state.Create(call.Operation);
                    state.SetTemporary(call.Operation, task);
                    state.SetFacts(task, Facts.Nothing with { Pending = call.Operation });
                }

                return true;
            case "TryEnter" when call.Method.ReturnsVoid && call.Arguments.FirstOrDefault(static a => a.Parameter is { RefKind: RefKind.Ref }) is { } flag:
                CallEvents(call, states);
                foreach (State state in states.ToArray())
                {
                    State failed = state.Clone();
                    if (PlaceOf(flag.Value, state) is var place && place != 0)
                    {
                        failed.Write(place, _table.False);
                        state.Write(place, _table.True);
                    }

                    states.Add(failed);
                    TakeLock(target, call.Operation, state);
                }

                return true;
            case "EnterScope":
                CallEvents(call, states);
                foreach (State state in states)
                {
                    int scope = state.Create(call.Operation);
                    state.SetTemporary(call.Operation, scope);
                    TakeLock(target, call.Operation, state);
                    state.SetFacts(scope, state.FactsOf(scope) with { Holder = Holder.LockScope, Section = ValueOf(target, state) });
                }

                return true;
            case "TryEnter" or "TryEnterWriteLock" or "Wait" or "WaitOne" or "WaitAsync" when call.Method.ReturnType.SpecialType == SpecialType.System_Boolean:
                CallEvents(call, states);
                foreach (State state in states.ToArray())
                {
                    int result = state.Create(call.Operation);
                    state.SetTemporary(call.Operation, result);
                    State failed = state.Clone();
                    Assume(failed, result, false);
                    states.Add(failed);
                    Assume(state, result, true);
                    TakeLock(target, call.Operation, state);
                }

                return true;
            case "Exit" or "ExitWriteLock" or "ExitUpgradeableReadLock" or "Release" or "ReleaseMutex":
                CallEvents(call, states);
                foreach (State state in states)
                {
                    int value = ValueOf(target, state);
                    int held = state.Locks.FindLastIndex(l => l.Value == value);
                    if (held >= 0)
                    {
                        state.Locks.RemoveAt(held);
                        state.Touch();
                    }
                }

                return true;
            default:
                return false;
        }
    }

    // One lock is taken a few times over at the most, so that a loop that takes it comes to rest.
    private const int DepthOfLock = 5;

    private void TellLock(IOperation operation, IOperation target, List<State> states)
        => Tell(states, s => ValueOf(target, s), (listener, seen) => listener.Lock(Point(operation), seen));

    private void TakeLock(IOperation target, IOperation site, State state)
    {
        int value = ValueOf(target, state);
        if (state.Locks.Count(l => l.Value == value) < DepthOfLock)
        {
            state.Locks.Add(new HeldLock(value, site));
            state.Touch();
        }
    }

    private bool CallAssert(CallSite call, List<State> states)
    {
        if (call.Argument(0)?.Value is not { } asserted)
        {
            return false;
        }

        foreach (State state in states.ToArray())
        {
            if (!Assume(state, ValueOf(asserted, state), true))
            {
                states.Remove(state);
            }
        }

        return true;
    }

    private bool CallThrowIfNull(CallSite call, List<State> states)
    {
        if (call.Argument(0)?.Value is not { } checkedValue)
        {
            return false;
        }

        MayThrow(call.Operation, states, leavesFunction: true);
        foreach (State state in states.ToArray())
        {
            if (!Assume(state, _table.Equal(ValueOf(checkedValue, state), _table.Null), false))
            {
                states.Remove(state);
            }
        }

        return true;
    }

    private bool CallNative(CallSite call, List<State> states)
    {
        if (call.Method.Name is "Alloc" or "AllocZeroed" or "AlignedAlloc" or "AllocHGlobal" or "AllocCoTaskMem")
        {
            CallEvents(call, states);
            foreach (State state in states)
            {
                int result = state.Create(call.Operation);
                state.SetTemporary(call.Operation, result);
                state.SetFacts(result, Facts.Nothing with { Reclaim = Reclaim.Fresh, ReclaimSite = call.Operation });
            }

            return true;
        }

        if (call.Method.Name is not ("Free" or "AlignedFree" or "FreeHGlobal" or "FreeCoTaskMem") || call.Argument(0)?.Value is not { } freed)
        {
            return false;
        }

        // Native memory is of interest only where it is known to be protected.
        List<State> known = states.Where(s => IsProtectedMemory(s.FactsOf(ValueOf(freed, s)))).ToList();
        if (known.Count > 0)
        {
            Tell(known, s => ValueOf(freed, s), (listener, seen) => listener.Reclaim(Point(call.Operation), ContractWord.Frees, freed, seen));
        }

        foreach (State state in states)
        {
            if (IsProtectedMemory(state.FactsOf(ValueOf(freed, state))) || state.FactsOf(ValueOf(freed, state)).Reclaim == Reclaim.Fresh)
            {
                Step(ContractWord.Frees, ValueOf(freed, state), 0, call, state);
            }
        }

        return true;
    }

    private static bool IsProtectedMemory(Facts facts)
        => facts.Origin != OriginKind.None
            || facts.Reclaim is Reclaim.Published or Reclaim.Unlinked or Reclaim.Quiescent or Reclaim.Gathered or Reclaim.Flushed or Reclaim.Retired or Reclaim.Freed;

    private bool CallThrough(CallSite call, IOperation? through, List<State> states)
    {
        if (through is null || _body.Map.Scope(call.Method.ReturnType) is not null)
        {
            return false;
        }

        foreach (State state in states)
        {
            state.SetTemporary(call.Operation, ValueOf(through, state));
        }

        return true;
    }

    private bool CallAwaited(CallSite call, IOperation? task, List<State> states)
    {
        if (task is null || !states.Any(s => s.FactsOf(ValueOf(task, s)).Pending is not null))
        {
            return false;
        }

        Await(task, call.Operation, states);
        return true;
    }

    private void StoreInCollection(CallSite call, List<State> states)
    {
        if (call.Instance is null || !KnownMembers.AddsToCollection(call.Method))
        {
            return;
        }

        foreach (IArgumentOperation argument in call.Arguments)
        {
            PutInto(call.Operation, call.Instance, argument.Value, WayOut.PutInto("'" + Names.Of(call.Instance) + "'"), states);
        }
    }
}
