// Lambdas and local functions: how they come to run, and what a call of one does to its caller's state.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private const int MaximumDepth = 3;

    private void NoteNested(IFlowAnonymousFunctionOperation lambda, List<State> states)
    {
        if (_observer is null)
        {
            GiveToThread(lambda.Symbol, states);
            return;
        }

        if (_body.Member.Nested(lambda.Symbol) is not { } nested)
        {
            return;
        }

        foreach (State state in states)
        {
            // A lambda that is only ever called in sight gets its states from its calls.
            if (nested.Role != BodyRole.Helper)
            {
                nested.Enter(nested.Role == BodyRole.Synchronous && Can(Abilities.NestedFunctions) ? AsCaller(state, state.CallerUnknown) : Detached(state, nested.Role == BodyRole.Callback));
            }
        }

        if (nested.Role is BodyRole.Ordinary or BodyRole.Callback)
        {
            CaptureEvents(lambda, lambda.Symbol, states);
            GiveToThread(lambda.Symbol, states);
        }
    }

    // A guard that another thread takes along is that thread's to dispose of: one fault is told, not two.
    private void GiveToThread(IMethodSymbol function, List<State> states)
    {
        if (ThreadStarterOf(function) is null)
        {
            return;
        }

        foreach (IOperation captured in _body.Member.CapturesOf(function))
        {
            foreach (State state in states)
            {
                int value = ValueOf(captured, state);
                if (state.FactsOf(value) is { Holder: Holder.GuardOpen } facts)
                {
                    HandOver(value, facts, state);
                }
            }
        }
    }

    private IMethodSymbol? ThreadStarterOf(IMethodSymbol function)
        => _body.Member.TakerOf(function) is { } taker && KnownMembers.RunsElsewhere(taker) ? taker : null;

    // Run later: variables are as they are now, sections and locks are not. After a grace period, what was unlinked may be freed.
    private State Detached(State state, bool afterGracePeriod)
    {
        State later = state.Clone();
        later.ClearTemporaries();
        later.Sections.Clear();
        later.Locks.Clear();
        later.Callbacks.Clear();
        later.CallerUnknown = false;
        later.StaleBound = null;
        for (int i = later.Values.Count - 1; i >= 0; i--)
        {
            Facts facts = later.Values.ValueAt(i);
            bool kept = later.Values.KeyAt(i) != _table.This && facts.Reclaim is Reclaim.Fresh or Reclaim.Published or Reclaim.Unlinked or Reclaim.Quiescent or Reclaim.Trusted;
            Reclaim reclaim = !kept ? Reclaim.None : afterGracePeriod && facts.Reclaim == Reclaim.Unlinked ? Reclaim.Quiescent : facts.Reclaim;
            later.Values.SetAt(i, new Facts { Reclaim = reclaim, ReclaimSite = facts.ReclaimSite, Allocator = facts.Allocator });
        }

        return later;
    }

    // A method that is named rather than called.
    private void MakeDelegate(IOperation made, IOperation target, IMethodSymbol? invoke, List<State> states)
    {
        if (Names.Unwrap(target) is not IMethodReferenceOperation group || (_observer is null && group.Method.MethodKind != MethodKind.LocalFunction))
        {
            return;
        }

        BodyRole role = FunctionUses.RoleOfDelegate(group, _body.Map);
        foreach (FlowListener listener in _observer ?? System.Array.Empty<FlowListener>())
        {
            listener.MakeDelegate(Point(made), group.Method, invoke, role);
        }

        if (group.Method.MethodKind == MethodKind.LocalFunction && role is BodyRole.Ordinary or BodyRole.Callback)
        {
            CaptureEvents(made, group.Method.OriginalDefinition, states);
            GiveToThread(group.Method.OriginalDefinition, states);
        }
    }

    private void CaptureEvents(IOperation made, IMethodSymbol function, List<State> states)
    {
        foreach (IOperation captured in _body.Member.CapturesOf(function))
        {
            List<State> escaping = states.Where(s => s.FactsOf(ValueOf(captured, s)).Origin != OriginKind.None || s.FactsOf(ValueOf(captured, s)).Holder != Holder.None).ToList();
            if (escaping.Count > 0)
            {
                WayOut way = ThreadStarterOf(function) is { } taker ? WayOut.HandedToThreadBy("'" + Names.Of(taker) + "'") : WayOut.Captured;
                Tell(escaping, s => ValueOf(captured, s), (listener, seen) => listener.Escape(Point(made), captured, way, seen));
            }
        }
    }

    // The values that an argument is made of: what a lambda captures, what a tuple or object holds.
    private IEnumerable<int> PartsOf(IOperation argument, State state)
    {
        IOperation? value = Names.Unwrap(argument);
        if (value is IFlowAnonymousFunctionOperation lambda)
        {
            foreach (IOperation captured in _body.Member.CapturesOf(lambda.Symbol))
            {
                yield return ValueOf(captured, state);
            }

            foreach (IFieldReferenceOperation field in _body.Member.FieldsOf(lambda))
            {
                yield return state.Read(_table.Slot(field.Field.OriginalDefinition, field.Field.IsStatic ? 0 : _table.This));
            }
        }
        else if (value is ITupleOperation or IObjectCreationOperation)
        {
            foreach (IOperation part in value.ChildOperations)
            {
                yield return ValueOf(part, state);
            }
        }
    }

    // A call of a local function, or of a lambda held by a local, does to the state what its body does. False where none is called in sight.
    private bool TryRun(CallSite call, List<State> states)
    {
        NestedFunction? function = call.Method.MethodKind switch
        {
            MethodKind.LocalFunction => _body.Member.Nested(call.Method.OriginalDefinition),
            MethodKind.DelegateInvoke => Resolve(call.Instance!) switch
            {
                ILocalReferenceOperation { Local: { } local } => _body.Member.LambdaOf(local),
                IFlowAnonymousFunctionOperation lambda => _body.Member.Nested(lambda.Symbol),
                _ => null,
            },
            _ => null,
        };
        if (function is null)
        {
            return false;
        }

        if (!call.Contracts.IsEmpty)
        {
            // It stands by its contracts; what it writes around itself is not known any more.
            ForgetWritten(function.Symbol, call, states);
            return false;
        }

        List<State> before = states.Select(static s => s.Clone()).ToList();
        Bind(function.Symbol, call, states);
        if (function.Role == BodyRole.Helper && _observer is not null)
        {
            foreach (State state in states)
            {
                function.Enter(AsCaller(state, true));
            }
        }

        Engine? followed = Follow(function, states, new StateSet(CallName(_block!.Ordinal)));
        if (followed is null or { _mayThrow: true })
        {
            MayThrow(call.Operation, before, call.Contracts.IsEmpty);
        }

        Unbind(function.Symbol, states);
        return followed is not null;
    }

    private void ForgetWritten(IMethodSymbol function, CallSite call, List<State> states)
    {
        IReadOnlyList<ISymbol> written = _body.Member.WritesOf(function);
        for (int i = 0; i < written.Count; i++)
        {
            foreach (State state in states)
            {
                state.Write(_table.Slot(written[i].OriginalDefinition), state.Create(call.Operation, i + 16));
            }
        }
    }

    // What the function that a call runs in sight has returned.
    private int TakeReturned(CallSite call, State state)
    {
        int slot = _table.Slot(HelperOf(call));
        int value = state.Variables.TryGetValue(slot, out int returned) ? returned : ValueTable.Unknown;
        state.Variables.Remove(slot);
        return value;
    }

    // Delegates that a call is given: those that it runs before it returns - not at all, once, or more often -, and those that it queues.
    private void RunDelegates(CallSite call, List<State> states)
    {
        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (Names.Unwrap(argument.Value) is IMethodReferenceOperation group && FunctionUses.RoleOfDelegate(group, _body.Map) == BodyRole.Synchronous)
            {
                RunGroup(group, argument, states);
            }
            else if (Names.Unwrap(argument.Value) is IFlowAnonymousFunctionOperation function && _body.Member.Nested(function.Symbol) is { Role: BodyRole.Synchronous } synchronous && Can(Abilities.NestedFunctions))
            {
                var after = new StateSet(CallName(_block!.Ordinal));
                states.ForEach(s => after.Add(s.Clone()));
                Follow(synchronous, states, after);
            }
        }

        if (call.Contracts.ParameterWords.HasFlag(ContractWord.RunsAfterGracePeriod))
        {
            foreach (State state in states)
            {
                QueueCallback(call, ValueTable.Unknown, state);
            }
        }
    }

    // A method that is named rather than called, and run before the call that takes it returns: as if it were called here.
    private void RunGroup(IMethodReferenceOperation group, IArgumentOperation argument, List<State> states)
    {
        var run = new CallSite(argument, group.Method, group.Instance, System.Collections.Immutable.ImmutableArray<IArgumentOperation>.Empty, _body.Map.Of(group.Method));
        CallEvents(run, states);
        if (_body.Member.Nested(group.Method.OriginalDefinition) is not { } function)
        {
            return;
        }

        if (function.Role == BodyRole.Helper && _observer is not null)
        {
            foreach (State state in states)
            {
                function.Enter(AsCaller(state, true));
            }
        }

        var after = new StateSet(CallName(_block!.Ordinal));
        states.ForEach(s => after.Add(s.Clone()));
        Follow(function, states, after);
    }

    // Replaces the states by those with which the function returns, and what is there already. Null where it is not followed any deeper.
    private Engine? Follow(NestedFunction function, List<State> states, StateSet after)
    {
        if (_depth >= MaximumDepth || function.IsRunning)
        {
            return null;
        }

        function.IsRunning = true;
        try
        {
            var engine = new Engine(new Body(_body.Member, function.Symbol, function.Symbol, function.Graph, function.Role, function.Number), _cancellation, _depth + 1);
            engine.Analyse(states.Select(static s => s.Clone()), null);
            foreach (Exit exit in engine.Exits)
            {
                if (exit.Kind == ExitKind.Return)
                {
                    after.Add(exit.State);
                }
            }

            states.Clear();
            states.AddRange(after.States);
            return engine;
        }
        finally
        {
            function.IsRunning = false;
        }
    }

    private void Unbind(IMethodSymbol function, List<State> states)
    {
        foreach (State state in states)
        {
            foreach (IParameterSymbol parameter in function.Parameters)
            {
                int slot = _table.Slot(parameter.OriginalDefinition);
                state.Variables.Remove(slot);
                state.Aliases.Remove(slot);
            }
        }
    }

    // The function's parameters hold what the call gives them, or stand for the places that it lends.
    private void Bind(IMethodSymbol function, CallSite call, List<State> states)
    {
        foreach (IParameterSymbol parameter in function.Parameters)
        {
            if (call.Argument(parameter.Ordinal) is not { } argument)
            {
                continue;
            }

            int slot = _table.Slot(parameter.OriginalDefinition);
            foreach (State state in states)
            {
                state.Aliases.Remove(slot);
                if (parameter.RefKind is RefKind.Ref or RefKind.Out && PlaceOf(argument.Value, state) is var place && place != 0 && place != slot)
                {
                    state.Aliases.Set(slot, place);
                }
                else
                {
                    state.Write(slot, ValueOf(argument, state));
                }
            }
        }
    }

    // What is open at the call is the caller's business, and what is missing too.
    private static State AsCaller(State state, bool callerUnknown)
    {
        State entry = state.Clone();
        entry.ClearTemporaries();
        entry.CallerUnknown = callerUnknown;
        for (int i = 0; i < entry.Sections.Count; i++)
        {
            if (entry.Sections[i].Kind == SectionKind.Opened)
            {
                entry.Sections[i] = entry.Sections[i] with { Kind = SectionKind.Entry };
            }
        }

        for (int i = 0; i < entry.Values.Count; i++)
        {
            // Gathers and pins of the caller are the caller's to give back.
            if (entry.Values.ValueAt(i) is { Holder: Holder.GatherFilled or Holder.PinHeld } owed)
            {
                entry.Values.SetAt(i, owed with { Holder = owed.Holder == Holder.PinHeld ? Holder.PinReleased : Holder.GatherSynced });
            }
        }

        return entry;
    }

    // The function that a call runs, where it is in sight.
    private IMethodSymbol HelperOf(CallSite call)
        => call.Method.MethodKind == MethodKind.DelegateInvoke && call.Instance is { } invoked && Resolve(invoked) is ILocalReferenceOperation { Local: { } local } && _body.Member.LambdaOf(local) is { } lambda
            ? lambda.Symbol
            : TypeAnalysis.Definition(call.Method);

    // What a helper leaves to its callers, at one of them.
    private void HelperEvents(CallSite call, List<State> states)
    {
        IMethodSymbol helper = HelperOf(call);
        if (_observer is not null && _body.Member.HelperNeeds(helper) is { } needs)
        {
            TellNeeds(call, helper, needs, states);
        }
    }

    private void TellNeeds(CallSite call, IMethodSymbol helper, IReadOnlyList<InferredNeed> needs, List<State> states)
    {
        string name = helper.Name.Length > 0 ? helper.Name : Names.Of(call.Instance);
        FlowPoint point = Point(call.Operation);
        foreach (InferredNeed need in needs)
        {
            switch (need.Kind)
            {
                case NeedKind.Section:
                    Tell(states, s => new Need(DomainOf(need, call, s), name, 0, null) { Helper = helper }, (listener, seen) => listener.Need(point, seen));
                    break;
                case NeedKind.Lock:
                    Tell(states, s => need.Path is null ? ValueTable.Unknown : ValueOf(need.Path, call, s), (listener, seen) => listener.NeedLock(point, helper, need.Contract!, seen));
                    break;
                case NeedKind.Wait:
                    Tell(states, s => DomainOf(need, call, s), (listener, seen) => listener.Wait(point, helper, seen));
                    break;
                case NeedKind.Block:
                    Tell(states, s => DomainOf(need, call, s), (listener, seen) => listener.Block(point, need.Name, helper, seen));
                    break;
            }
        }
    }

    private Domain DomainOf(InferredNeed need, CallSite call, State state)
        => need.Path is null ? need.Domain : ValueOf(need.Path, call, state) is var value && value == ValueTable.Unknown ? Domain.Any : Domain.Of(value, need.Domain.Type);

    /// <summary>Goes the way to a value of a helper from one of its callers.</summary>
    private int ValueOf(ValuePath path, CallSite call, State state)
    {
        bool isNested = call.Method.MethodKind is MethodKind.LocalFunction or MethodKind.DelegateInvoke;
        int value = path.Root switch
        {
            null => isNested || call.Instance is null ? _table.This : ValueOf(call.Instance, state),
            IParameterSymbol parameter when SymbolEqualityComparer.Default.Equals(parameter.ContainingSymbol, HelperOf(call))
                => call.Argument(parameter.Ordinal) is { } argument ? ValueOf(argument, state) : ValueTable.Unknown,
            IParameterSymbol { ContainingSymbol: IMethodSymbol { MethodKind: MethodKind.Constructor } } or { IsStatic: true } => state.Read(_table.Slot(path.Root)),
            _ => isNested ? state.Read(_table.Slot(path.Root)) : ValueTable.Unknown,
        };
        foreach (ISymbol member in path.Members)
        {
            if (value == ValueTable.Unknown)
            {
                return value;
            }

            value = state.Read(_table.Slot(member, value));
        }

        return value;
    }
}
