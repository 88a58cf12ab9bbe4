// Executes expressions: what each does to the states, by its kind.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private Dictionary<IOperation, CallSite>? _pendingCalls;

    /// <summary>Executes an operation in every state; a state may part in two.</summary>
    private void Execute(IOperation operation, List<State> states)
    {
        if (states.Count == 0)
        {
            return;
        }

        if (states.Count > StateSet.Limit * 2)
        {
            throw new GiveUpException("its paths differ in too many ways");
        }

        if (operation.ConstantValue.HasValue && operation is not (ILocalReferenceOperation or IFieldReferenceOperation { Field.IsConst: false }))
        {
            int constant = operation.Type is { SpecialType: SpecialType.System_Decimal } ? ValueTable.Unknown : _table.Constant(operation.ConstantValue.Value);
            SetAll(operation, states, constant);
            return;
        }

        // Nearly half of all operations only name something.
        if (operation.Kind is OperationKind.ParameterReference or OperationKind.InstanceReference or OperationKind.FlowCaptureReference
            || operation is ILocalReferenceOperation { Local.RefKind: RefKind.None })
        {
            return;
        }

        if (_watchesAllocations && _observer is not null && Allocations.Of(operation, _body.Member) is { } what)
        {
            TellAllocation(operation, what, states);
        }

        // By kind: to ask an operation for one interface after the other takes longer than most of them take to execute.
        switch (operation.Kind)
        {
            case OperationKind.FlowAnonymousFunction:
                NoteNested((IFlowAnonymousFunctionOperation)operation, states);
                foreach (State state in states)
                {
                    state.SetTemporary(operation, state.Create(operation));
                }

                break;
            case OperationKind.ExpressionStatement when LockedBy((IExpressionStatementOperation)operation) is { } locked:
                EnterLockStatement((IExpressionStatementOperation)operation, locked, states);
                break;
            case OperationKind.SimpleAssignment:
                ExecuteAssignment((ISimpleAssignmentOperation)operation, states);
                break;
            case OperationKind.FlowCapture:
                ExecuteCapture((IFlowCaptureOperation)operation, states);
                break;
            case OperationKind.Invocation:
                var invocation = (IInvocationOperation)operation;
                ExecuteChildren(invocation, states);
                IMethodSymbol method = Devirtualized(invocation);
                Call(new CallSite(invocation, method, Names.Unwrap(invocation.Instance), invocation.Arguments, _body.Map.Of(method)), states);
                break;
            case OperationKind.ObjectCreation when operation is IObjectCreationOperation { Constructor: { } constructor } creation:
                ExecuteChildren(creation, states);
                Call(new CallSite(creation, constructor, null, creation.Arguments, _body.Map.Of(constructor)), states);
                break;
            case OperationKind.PropertyReference:
                ExecuteChildren(operation, states);
                ReadProperty((IPropertyReferenceOperation)operation, states);
                break;
            case OperationKind.FieldReference:
                ExecuteChildren(operation, states);
                ReadField((IFieldReferenceOperation)operation, states);
                break;
            case OperationKind.LocalReference:
                ReadReference((ILocalReferenceOperation)operation, states);
                break;
            case OperationKind.InterpolatedString:
                ExecuteChildren(operation, states);
                foreach (IInterpolationOperation part in ((IInterpolatedStringOperation)operation).Parts.OfType<IInterpolationOperation>())
                {
                    Use(operation, part.Expression, states);
                }

                break;
            case OperationKind.Await:
                ExecuteAwait((IAwaitOperation)operation, states);
                break;
            case OperationKind.YieldReturn:
                ExecuteYield((IReturnOperation)operation, states);
                break;
            case OperationKind.CompoundAssignment or OperationKind.Increment or OperationKind.Decrement:
                ExecuteUpdate(operation, states);
                break;
            case OperationKind.DeconstructionAssignment:
                var deconstruction = (IDeconstructionAssignmentOperation)operation;
                Execute(deconstruction.Value, states);
                CallImplicit(deconstruction, deconstruction.Value, states);
                ExecuteDeconstruction(deconstruction, states);
                break;
            case OperationKind.IsPattern:
                var pattern = (IIsPatternOperation)operation;
                Execute(pattern.Value, states);
                ReadPattern(pattern, pattern.Pattern, pattern.Value, states);
                foreach (State state in states)
                {
                    state.SetTemporary(pattern, Match(pattern, pattern.Pattern, ValueOf(pattern.Value, state), state));
                }

                break;
            case OperationKind.DelegateCreation:
                IOperation target = ((IDelegateCreationOperation)operation).Target;
                Execute(target, states);
                MakeDelegate(operation, target, (operation.Type as INamedTypeSymbol)?.DelegateInvokeMethod, states);
                break;
            case OperationKind.ImplicitIndexerReference:
                ExecuteChildren(operation, states);
                CallImplicit(operation, ((IImplicitIndexerReferenceOperation)operation).Instance, states);
                break;
            case OperationKind.Binary or OperationKind.Unary or OperationKind.Conversion:
                ExecuteChildren(operation, states);
                CallOperator(operation, states);
                break;
            case OperationKind.None when Indirection.PointerOf(operation) is { } pointer:
                ExecuteChildren(operation, states);
                Use(operation, pointer, states);
                break;
            case OperationKind.NameOf or OperationKind.TypeOf or OperationKind.SizeOf:
                break;
            case OperationKind.Argument when ((IArgumentOperation)operation) is { Parameter: { RefKind: not RefKind.None } } place:
                ExecutePlace(place.Value, states);
                break;
            case OperationKind.DefaultValue:
                Forge(operation, operation.Type, "'default'");
                MakeEmpty((IDefaultValueOperation)operation, states);
                break;
            case OperationKind.AddressOf:
                IOperation reference = ((IAddressOfOperation)operation).Reference;
                ExecutePlace(reference, states);
                MakeDelegate(operation, reference, null, states);
                break;
            default:
                ExecuteChildren(operation, states);
                break;
        }
    }

    private void ExecuteCapture(IFlowCaptureOperation capture, List<State> states)
    {
        bool holdsPlace = _targetCaptures.Contains(capture.Id.GetHashCode());
        if (holdsPlace && capture.Value is IFieldReferenceOperation or IPropertyReferenceOperation or IArrayElementReferenceOperation)
        {
            ExecutePlace(capture.Value, states);
            return;
        }

        if (holdsPlace && capture.Value is ILocalReferenceOperation or IParameterReferenceOperation)
        {
            ExecutePlace(capture.Value, states);
        }
        else
        {
            Execute(capture.Value, states);
        }

        foreach (State state in states)
        {
            state.Write(_table.Capture(capture.Id.GetHashCode()), ValueOf(capture.Value, state));
        }
    }

    private void ExecuteAwait(IAwaitOperation await, List<State> states)
    {
        Execute(await.Operation, states);
        CallImplicit(await, await.Operation, states);
        LeaveCaller(await, states);
        Tell(states, (listener, seen) => listener.Suspend(Point(await), seen));
        List<IOperation> pending = states.Select(s => s.FactsOf(ValueOf(await.Operation, s)).Pending).OfType<IOperation>().ToList();
        if (pending.Count == 0)
        {
            MayThrow(await, states, leavesFunction: true);
        }

        states.ForEach(s => HearFrom(ValueOf(await.Operation, s), s));
        Await(await.Operation, await, states);
        if (pending.Any(p => _pendingCalls is not null && _pendingCalls.TryGetValue(p, out CallSite? call) && call.Contracts.Find(ContractWord.WaitsForGracePeriod) is not null))
        {
            // As with one that is not awaited: it has waited, as far as the handler goes.
            MayThrow(await, states, leavesFunction: false);
        }
    }

    private void ExecuteYield(IReturnOperation yield, List<State> states)
    {
        if (yield.ReturnedValue is { } yielded)
        {
            Execute(yielded, states);
            Escape(yield, yielded, WayOut.Yielded, states);
        }

        Tell(states, (listener, seen) => listener.Suspend(Point(yield), seen));
    }

    // A helper's callers answer for what it does until it is suspended; what comes then does not run in a section of theirs that is bound to its thread.
    private void LeaveCaller(IOperation suspension, List<State> states)
    {
        if (_body.Role != BodyRole.Helper)
        {
            return;
        }

        foreach (State state in states.Where(static s => s.CallerUnknown))
        {
            for (int i = state.Sections.Count - 1; i >= 0; i--)
            {
                if (state.Sections[i] is { Kind: SectionKind.Entry, Sleepable: false, Guard: null })
                {
                    CloseSection(i, suspension, state);
                }
            }

            state.Left.Clear();
            state.HasClosed = false;
            state.LastClosed = null;
            state.CallerUnknown = false;
            state.IsResumed = true;
            state.Touch();
        }
    }

    private void TellAllocation(IOperation operation, string what, List<State> states) => Tell(states, (listener, seen) => listener.Allocate(Point(operation), what, seen));

    // A using disposes through the interface; what the type itself says of its Dispose counts.
    internal static IMethodSymbol Devirtualized(IInvocationOperation invocation)
    {
        IMethodSymbol method = invocation.TargetMethod;
        if (method is { ContainingType.TypeKind: TypeKind.Interface, Parameters.IsEmpty: true, Name: "Dispose" or "DisposeAsync" }
            && Names.Unwrap(invocation.Instance)?.Type is { TypeKind: TypeKind.Class or TypeKind.Struct } type
            && type.FindImplementationForInterfaceMember(method) is IMethodSymbol own)
        {
            return own;
        }

        return method;
    }

    // A struct of pages that starts empty holds nothing that a reader can reach, until something is put into it.
    private void MakeEmpty(IDefaultValueOperation empty, List<State> states)
    {
        if (empty.Type is not INamedTypeSymbol { IsValueType: true, SpecialType: SpecialType.None, TypeKind: TypeKind.Struct } type || !_body.Map.CanHaveContracts(type.ContainingAssembly) || _body.Map.Scope(type) is not null)
        {
            return;
        }

        foreach (State state in states)
        {
            int value = state.Create(empty);
            state.SetTemporary(empty, value);
            state.SetFacts(value, Facts.Nothing with { Reclaim = Reclaim.Fresh });
        }
    }

    private void ExecuteChildren(IOperation operation, List<State> states)
    {
        foreach (IOperation child in operation.ChildOperations)
        {
            Execute(child, states);
        }
    }

    // Executes what a place is reached through, without reading the place.
    private void ExecutePlace(IOperation place, List<State> states)
    {
        switch (place)
        {
            case IFieldReferenceOperation or IPropertyReferenceOperation or IArrayElementReferenceOperation:
                ExecuteChildren(place, states);
                break;
            case ILocalReferenceOperation or IParameterReferenceOperation or IFlowCaptureReferenceOperation or IDiscardOperation or IDeclarationExpressionOperation:
                break;
            case IConversionOperation conversion:
                ExecutePlace(conversion.Operand, states);
                break;
            default:
                Execute(place, states);
                break;
        }
    }

    private void SetAll(IOperation operation, List<State> states, int value)
    {
        foreach (State state in states)
        {
            state.SetTemporary(operation, value);
        }
    }
}
