// Executes expressions: which value each has, and what it does to the places it writes.
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
    private readonly Dictionary<int, IOperation> _captured = new();
    private readonly HashSet<int> _targetCaptures = new();
    private Dictionary<IOperation, CallSite>? _pendingCalls;

    // The place that a ref local was made for: what is done through it is done there.
    private Dictionary<ILocalSymbol, IOperation>? _references;

    // The conditions of branches by what they are in the source.
    private readonly Dictionary<SyntaxNode, IOperation> _branches = new();

    // A capture that is assigned through holds a place, not a value: making it reads nothing.
    private void FindTargetCaptures()
    {
        foreach (BasicBlock block in _body.Graph.Blocks)
        {
            for (int i = 0; i < block.Operations.Length; i++)
            {
                if (_trees?.OperationsOf(block.Ordinal)[i].IsKept != false)
                {
                    FindTargetCaptures(block.Operations[i]);
                }
            }

            if (block.BranchValue is { } value && (_trees is null || _trees.IsDecided(block.Ordinal) || _trees.BranchValueOf(block.Ordinal)!.IsKept))
            {
                FindTargetCaptures(value);
                if (block.ConditionKind != ControlFlowConditionKind.None)
                {
                    _branches[value.Syntax] = value;
                }
            }
        }
    }

    private void FindTargetCaptures(IOperation operation)
    {
        // The last part of a condition whose value is kept decides no branch of its own.
        if (operation is IFlowCaptureOperation { Value: { Type.SpecialType: SpecialType.System_Boolean, ConstantValue.HasValue: false } kept })
        {
            _branches[kept.Syntax] = kept;
        }

        IOperation? target = operation switch
        {
            IFlowCaptureOperation capture => Note(capture),
            IAssignmentOperation assignment => assignment.Target,
            IIncrementOrDecrementOperation increment => increment.Target,
            IArgumentOperation { Parameter.RefKind: RefKind.Ref or RefKind.Out } argument => argument.Value,
            _ => null,
        };
        if (target is IFlowCaptureReferenceOperation reference)
        {
            _targetCaptures.Add(reference.Id.GetHashCode());
        }

        foreach (IOperation child in operation.ChildOperations)
        {
            FindTargetCaptures(child);
        }

        IOperation? Note(IFlowCaptureOperation capture)
        {
            _captured[capture.Id.GetHashCode()] = capture.Value;
            return null;
        }
    }

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
        Tell(states, (listener, seen) => listener.Suspend(Point(await), seen));
        if (!states.Any(s => s.FactsOf(ValueOf(await.Operation, s)).Pending is not null))
        {
            MayThrow(await, states, leavesFunction: true);
        }

        Await(await.Operation, await, states);
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

    private void ExecuteAssignment(ISimpleAssignmentOperation assignment, List<State> states)
    {
        if (assignment.IsRef)
        {
            ExecutePlace(assignment.Value, states);
            ILocalSymbol? local = (assignment.Target as ILocalReferenceOperation)?.Local;
            int target = local is null ? 0 : _table.Slot(local);
            if (local is not null && Resolve(assignment.Value) is { } referred)
            {
                (_references ??= new Dictionary<ILocalSymbol, IOperation>(SymbolEqualityComparer.Default))[local] = referred;
            }

            foreach (State state in states)
            {
                state.Aliases.Remove(target);
                int place = PlaceOf(assignment.Value, state);
                if (place != 0 && target != 0)
                {
                    state.Aliases.Set(target, place);
                    state.Touch();
                }
                else if (target != 0)
                {
                    state.Write(target, ValueOf(assignment.Value, state));
                }
            }

            return;
        }

        ExecutePlace(assignment.Target, states);
        Execute(assignment.Value, states);
        CopyEvents(assignment, assignment.Value, static o => "into '" + Names.Of(((ISimpleAssignmentOperation)o).Target) + "'");
        Assign(assignment, assignment.Target, assignment.Value, states, s => ValueOf(assignment.Value, s));
    }

    private void Assign(IOperation operation, IOperation target, IOperation? value, List<State> states, System.Func<State, int> read)
    {
        IOperation? place = Resolve(target);
        IOperation? written = Refer(target);
        if (value is not null)
        {
            StoreEvents(operation, written, value, states);
        }

        switch (written)
        {
            case IPropertyReferenceOperation { Property.SetMethod: { } setter } property:
                CallEvents(new CallSite(property, setter, property.Instance, property.Arguments, _body.Map.Of(setter)), states);
                break;
            case IFieldReferenceOperation field:
                WriteField(operation, field, states);
                break;
        }

        if (value is not null && place is not (ILocalReferenceOperation or IParameterReferenceOperation or null)
            && (ReadsBack(value, place) || (place is IMemberReferenceOperation && IsMadeFromPlace(place, states, read))))
        {
            UpdateEvents(operation, place, states);
        }

        foreach (State state in states)
        {
            int assigned = Can(Abilities.Aliases) || Names.Unwrap(value) is not ILocalReferenceOperation ? read(state) : state.Create(operation);
            Unshare(place, operation, state);
            int slot = place is null ? 0 : PlaceOf(place, state);
            if (slot != 0)
            {
                state.Write(slot, assigned);
            }

            state.SetTemporary(operation, assigned);
        }
    }

    private bool IsMadeFromPlace(IOperation place, List<State> states, System.Func<State, int> read)
    {
        foreach (State state in states)
        {
            if (IsMadeFrom(read(state), PlaceOf(place, state), state))
            {
                return true;
            }
        }

        return false;
    }

    // A struct that is written to is no longer the same as the one it was copied from.
    private void Unshare(IOperation? place, IOperation operation, State state)
    {
        if (place is not IFieldReferenceOperation { Instance: { Type.IsValueType: true } instance } || PlaceOf(instance, state) is not (var holder and not 0))
        {
            return;
        }

        int value = state.Read(holder);
        if (!state.IsHeldElsewhere(value, holder))
        {
            return;
        }

        int copy = state.Create(operation, 7);
        for (int i = state.Variables.Count - 1; i >= 0; i--)
        {
            if (_table.SlotInfo(state.Variables.KeyAt(i)) is { Symbol: { } member } slot && slot.Index == value)
            {
                state.Write(_table.Slot(member, copy), state.Variables.ValueAt(i));
            }
        }

        state.SetFacts(copy, state.FactsOf(value));
        state.Write(holder, copy);
    }

    // Whether an expression computes from the very place that it is stored to.
    private static bool ReadsBack(IOperation value, IOperation place)
    {
        if (Names.Unwrap(value) is not (IBinaryOperation or IInvocationOperation or IUnaryOperation))
        {
            return false;
        }

        string text = place.Syntax.ToString();
        return value.Descendants().Any(o => o.Kind == place.Kind && o.Syntax.ToString() == text);
    }

    private void AssignParts(IOperation target, IOperation? value, List<State> states, IOperation operation, System.Func<State, int> read)
    {
        switch (target)
        {
            case ITupleOperation tuple:
                for (int i = 0; i < tuple.Elements.Length; i++)
                {
                    IFieldSymbol? element = value?.Type is INamedTypeSymbol { IsTupleType: true } type && i < type.TupleElements.Length ? type.TupleElements[i] : null;
                    IOperation part = tuple.Elements[i];
                    AssignParts(
                        part,
                        value is ITupleOperation values && i < values.Elements.Length ? Names.Unwrap(values.Elements[i]) : null,
                        states,
                        operation,
                        s => element is not null && read(s) is var whole && whole != ValueTable.Unknown ? s.Read(_table.Slot(Canonical(element), whole)) : s.Create(part));
                }

                break;
            case IDeclarationExpressionOperation declaration:
                AssignParts(declaration.Expression, value, states, operation, read);
                break;
            case IConversionOperation conversion:
                AssignParts(conversion.Operand, value, states, operation, read);
                break;
            case IDiscardOperation:
                break;
            default:
                ExecutePlace(target, states);
                Assign(operation, target, value, states, read);
                break;
        }
    }

    private void ExecuteDeconstruction(IDeconstructionAssignmentOperation deconstruction, List<State> states)
    {
        // All values are read before the first is written: named once, the tuple's parts are what they were.
        foreach (State state in states)
        {
            state.SetTemporary(deconstruction.Value, ValueOf(deconstruction.Value, state));
        }

        AssignParts(deconstruction.Target, Names.Unwrap(deconstruction.Value), states, deconstruction, s => ValueOf(deconstruction.Value, s));
    }

    private void ExecuteUpdate(IOperation operation, List<State> states)
    {
        IOperation target = operation is ICompoundAssignmentOperation compound ? compound.Target : ((IIncrementOrDecrementOperation)operation).Target;
        ExecutePlace(target, states);
        if (operation is ICompoundAssignmentOperation { Value: { } value })
        {
            Execute(value, states);
        }

        CallOperator(operation, states);
        UpdateEvents(operation, Refer(target) ?? target, states);
        Assign(operation, target, null, states, s => Updated(operation, target, s));
    }

    // A flag that a flag is added to, or a number.
    private int Updated(IOperation operation, IOperation target, State state)
    {
        if (operation is ICompoundAssignmentOperation { OperatorMethod: null } compound && operation.Type is { } type)
        {
            int old = ValueOf(target, state);
            int value = ValueOf(compound.Value, state);
            int updated = (type.SpecialType, compound.OperatorKind) switch
            {
                (SpecialType.System_Boolean, BinaryOperatorKind.Or) => _table.Or(old, value),
                (SpecialType.System_Boolean, BinaryOperatorKind.And) => _table.And(old, value),
                _ when state.FactsOf(old).ReadFrom != 0 => _table.Operator(compound.OperatorKind, old, value),
                _ => ValueTable.Unknown,
            };
            if (updated != ValueTable.Unknown)
            {
                return updated;
            }
        }

        if (target.Type is { TypeKind: TypeKind.Pointer })
        {
            Facts moved = AddressFrom(ValueOf(target, state), state);
            int pointer = state.Create(operation);
            state.SetFacts(pointer, moved);
            return pointer;
        }

        return state.Create(operation);
    }

    // What a capture of a place stands for.
    private IOperation? Resolve(IOperation target)
    {
        IOperation? place = Names.Unwrap(target);
        while (place is IFlowCaptureReferenceOperation reference && _captured.TryGetValue(reference.Id.GetHashCode(), out IOperation? captured))
        {
            place = Names.Unwrap(captured);
        }

        return place is IDeclarationExpressionOperation declaration ? declaration.Expression : place;
    }

    // As above, and what a ref local stands for.
    private IOperation? Refer(IOperation target)
    {
        IOperation? place = Resolve(target);
        return place is ILocalReferenceOperation { Local: { RefKind: not RefKind.None } local } && _references is not null && _references.TryGetValue(local, out IOperation? referred) ? referred : place;
    }

    /// <summary>Finds the place that an expression names, from the values of what it is reached through.</summary>
    private int PlaceOf(IOperation? operation, State state)
    {
        switch (operation is null ? null : Resolve(operation))
        {
            case ILocalReferenceOperation local:
                return Direct(_table.Slot(local.Local), state);
            case IParameterReferenceOperation parameter:
                return Direct(_table.Slot(parameter.Parameter.OriginalDefinition), state);
            case IFieldReferenceOperation { Field: { IsStatic: true } field }:
                return _table.Slot(field.OriginalDefinition);
            case IFieldReferenceOperation { Instance: { } instance } reference:
                return MemberPlace(reference.Field, instance, state);
            case IPropertyReferenceOperation { Property: { IsStatic: true, Parameters.IsEmpty: true } property }:
                return _table.Slot(Canonical(property));
            case IPropertyReferenceOperation { Instance: { } instance, Property.Parameters.IsEmpty: true } reference:
                return MemberPlace(reference.Property, instance, state);
            default:
                return 0;
        }
    }

    // Reading through a ref local reads the member that it stands for, of an object that must still be alive.
    private void ReadReference(ILocalReferenceOperation local, List<State> states)
    {
        if (Refer(local) is IMemberReferenceOperation { Member: { } member })
        {
            ReadValue(local, member, _body.Map.Of(member), states);
        }

        if (_observer is not null && states.Any(s => s.FactsOf(OwnerOf(s)).HasProtocol))
        {
            Tell(states, OwnerOf, (listener, seen) => listener.Use(Point(local), local, seen));
        }

        int OwnerOf(State state) => state.Aliases.TryGetValue(_table.Slot(local.Local), out int place) && _table.SlotInfo(place) is { Symbol: not null, Index: var owner } ? owner : ValueTable.Unknown;
    }

    private static int Direct(int slot, State state) => state.Aliases.TryGetValue(slot, out int target) ? target : slot;

    // An element of a tuple is the same place under its own name and as ItemN.
    internal static ISymbol Canonical(ISymbol member) => BackingField.Of(((member as IFieldSymbol)?.CorrespondingTupleField ?? member).OriginalDefinition);

    private int MemberPlace(ISymbol member, IOperation instance, State state)
    {
        int owner = ValueOf(instance, state);
        return owner == ValueTable.Unknown || !_table.HasMembers(owner) ? 0 : _table.Slot(Canonical(member), owner);
    }

    /// <summary>Gets the value of an expression that was executed, or that can be read again without effect.</summary>
    private int ValueOf(IOperation operation, State state)
    {
        if (state.TryGetTemporary(operation, out int known))
        {
            return known;
        }

        if (operation.ConstantValue.HasValue && operation is not ILocalReferenceOperation)
        {
            return _table.Constant(operation.ConstantValue.Value);
        }

        switch (operation.Kind)
        {
            case OperationKind.Conversion when ((IConversionOperation)operation) is { OperatorMethod: null } conversion:
                return ValueOf(conversion.Operand, state);
            case OperationKind.Parenthesized:
                return ValueOf(((IParenthesizedOperation)operation).Operand, state);
            case OperationKind.DelegateCreation:
                return ValueOf(((IDelegateCreationOperation)operation).Target, state);
            case OperationKind.Argument:
                return ValueOf(((IArgumentOperation)operation).Value, state);
            case OperationKind.Await:
                return ValueOf(((IAwaitOperation)operation).Operation, state);
            case OperationKind.InstanceReference:
                return _table.This;
            case OperationKind.FlowCaptureReference:
                return ValueOfCapture((IFlowCaptureReferenceOperation)operation, state);
            case OperationKind.DefaultValue when operation.Type is { IsReferenceType: true } or { TypeKind: TypeKind.Pointer } or { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T }:
                return _table.Null;
            case OperationKind.IsNull:
                return _table.Equal(ValueOf(((IIsNullOperation)operation).Operand, state), _table.Null);
            case OperationKind.Unary when ((IUnaryOperation)operation) is { OperatorKind: UnaryOperatorKind.Not } not:
                return _table.Not(ValueOf(not.Operand, state));
            case OperationKind.Binary when operation.Type is not { TypeKind: TypeKind.Pointer } && Compare((IBinaryOperation)operation, state) is var compared && compared != ValueTable.Unknown:
                return compared;
            case OperationKind.IsType:
                return Test((IIsTypeOperation)operation, state);
            case OperationKind.PropertyReference
                when ((IPropertyReferenceOperation)operation) is { Property: { Name: "HasValue", ContainingType.OriginalDefinition.SpecialType: SpecialType.System_Nullable_T }, Instance: { } nullable }:
                return _table.Not(_table.Equal(ValueOf(nullable, state), _table.Null));
            case OperationKind.DeclarationExpression:
                return ValueOf(((IDeclarationExpressionOperation)operation).Expression, state);
            case OperationKind.None when Indirection.PointerToObject(operation) is { } pointer:
                return ValueOf(pointer, state);
        }

        if (PlaceOf(operation, state) is var slot && slot != 0)
        {
            return state.Read(slot);
        }

        int site = state.Create(operation);
        state.SetTemporary(operation, site);
        Derive(operation, site, state);
        return site;
    }

    private int ValueOfCapture(IFlowCaptureReferenceOperation capture, State state)
    {
        if (capture is { Type.SpecialType: SpecialType.System_Boolean, Syntax: BinaryExpressionSyntax or ConditionalExpressionSyntax }
            && Compound((ExpressionSyntax)capture.Syntax, state) is var compound && compound != ValueTable.Unknown)
        {
            return compound;
        }

        if (!Can(Abilities.FlowCaptures))
        {
            return ValueTable.Unknown;
        }

        return state.Variables.TryGetValue(_table.Capture(capture.Id.GetHashCode()), out int value)
            ? value
            : Resolve(capture) is { } place && place is not IFlowCaptureReferenceOperation ? ValueOf(place, state) : ValueTable.Unknown;
    }

    // A number computed from a page speaks of that page: publishing the entry publishes the page.
    private void Derive(IOperation operation, int value, State state)
    {
        if (operation is ITupleOperation { Type: INamedTypeSymbol { IsTupleType: true } type } tuple)
        {
            for (int i = 0; i < tuple.Elements.Length; i++)
            {
                state.Write(_table.Slot(Canonical(type.TupleElements[i]), value), ValueOf(tuple.Elements[i], state));
            }
        }

        foreach (IOperation part in PartsOf(operation))
        {
            Carry(value, ValueOf(part, state), state);
        }

        if (Indirection.BaseOf(operation) is { } pointer)
        {
            state.SetFacts(value, AddressFrom(ValueOf(pointer, state), state));
            return;
        }

        if (operation is IBinaryOperation or IUnaryOperation or IConversionOperation or ITupleOperation or IObjectCreationOperation)
        {
            foreach (IOperation child in operation.ChildOperations)
            {
                if (state.FactsOf(ValueOf(child, state)) is { IsBound: true } bound)
                {
                    state.SetFacts(value, Facts.Nothing with { IsBound = true, Origin = bound.Origin, Section = bound.Section, OriginSite = bound.OriginSite });
                    return;
                }

                if (SourceOf(ValueOf(child, state), state) is var source && source != 0)
                {
                    state.SetFacts(value, state.FactsOf(value) with { Parent = source });
                    return;
                }
            }
        }
    }

    // An address computed from a pointer is valid as long as the pointer is.
    private Facts AddressFrom(int pointer, State state)
    {
        Facts facts = state.FactsOf(pointer);
        return Facts.Nothing with { Parent = SourceOf(pointer, state), Origin = facts.Origin, Section = facts.Section, OriginSite = facts.OriginSite, CloseSite = facts.CloseSite };
    }

    // What a tuple, array or collection is made of.
    private static IEnumerable<IOperation> PartsOf(IOperation operation) => operation switch
    {
        ITupleOperation tuple => tuple.Elements,
        IArrayCreationOperation { Initializer: { } initializer } => initializer.ElementValues,
        { Syntax: CollectionExpressionSyntax } => operation.ChildOperations,
        _ => Enumerable.Empty<IOperation>(),
    };

    // The page under construction that a value was computed from.
    private int SourceOf(int value, State state)
    {
        for (int i = 0; i < 8 && value != 0; i++)
        {
            Facts facts = state.FactsOf(value);
            if (facts.Reclaim != Reclaim.None)
            {
                return value;
            }

            if (facts.Parent != 0)
            {
                value = facts.Parent;
                continue;
            }

            ValueInfo info = _table.Info(value);
            value = info.Kind == ValueKind.Initial && _table.SlotInfo(info.A) is { Symbol: not null, Index: > 0 } slot ? slot.Index : 0;
        }

        return 0;
    }

    private int Compare(IBinaryOperation binary, State state)
    {
        if (binary.OperatorMethod is { ContainingType.SpecialType: SpecialType.None } && binary.OperatorKind is not (BinaryOperatorKind.Equals or BinaryOperatorKind.NotEquals))
        {
            return ValueTable.Unknown;
        }

        switch (binary.OperatorKind)
        {
            case BinaryOperatorKind.Equals:
                return Simplify(_table.Equal(Left(), Right()), state);
            case BinaryOperatorKind.NotEquals:
                return _table.Not(Simplify(_table.Equal(Left(), Right()), state));
            case BinaryOperatorKind.LessThan:
                return _table.Less(Left(), Right());
            case BinaryOperatorKind.GreaterThan:
                return _table.Less(Right(), Left());
            case BinaryOperatorKind.LessThanOrEqual:
                return _table.Not(_table.Less(Right(), Left()));
            case BinaryOperatorKind.GreaterThanOrEqual:
                return _table.Not(_table.Less(Left(), Right()));
            case BinaryOperatorKind.And or BinaryOperatorKind.ConditionalAnd when binary.Type?.SpecialType == SpecialType.System_Boolean:
                return _table.And(Left(), Right());
            case BinaryOperatorKind.Or or BinaryOperatorKind.ConditionalOr when binary.Type?.SpecialType == SpecialType.System_Boolean:
                return _table.Or(Left(), Right());
            default:
                // Operators on numbers give the same for the same; what is made of a page or a bound speaks of it, which a name alone would not.
                return binary.OperatorMethod is null && binary.Type?.SpecialType is not (SpecialType.System_String or SpecialType.System_Object or null)
                    && SourceOf(Left(), state) == 0 && SourceOf(Right(), state) == 0 && !state.FactsOf(Left()).IsBound && !state.FactsOf(Right()).IsBound
                    ? _table.Operator(binary.OperatorKind, Left(), Right())
                    : ValueTable.Unknown;
        }

        int Left() => ValueOf(binary.LeftOperand, state);
        int Right() => ValueOf(binary.RightOperand, state);
    }

    private int Test(IIsTypeOperation test, State state)
    {
        int value = ValueOf(test.ValueOperand, state);
        int condition = test.ValueOperand.Type is { } from && IsIdentity(from, test.TypeOperand) ? _table.Not(_table.Equal(value, _table.Null)) : _table.Is(value, test.TypeOperand);
        return condition == ValueTable.Unknown ? state.Create(test) : test.IsNegated ? _table.Not(condition) : condition;
    }

    // A flag compared with true is the flag.
    private int Simplify(int value, State state)
    {
        ValueInfo info = _table.Info(value);
        if (info.Kind == ValueKind.Equal && _table.Info(info.B) is { Kind: ValueKind.Constant, Tag: bool flag })
        {
            return flag ? info.A : _table.Not(info.A);
        }

        _ = state;
        return value;
    }

    private void SetAll(IOperation operation, List<State> states, int value)
    {
        foreach (State state in states)
        {
            state.SetTemporary(operation, value);
        }
    }

    private FlowPoint Point(IOperation operation) => new(_body, operation);

    // Whether something is known of a value in any state.
    private bool IsAnywhere(IOperation value, List<State> states, System.Func<Facts, bool> holds)
    {
        foreach (State state in states)
        {
            if (holds(state.FactsOf(ValueOf(value, state))))
            {
                return true;
            }
        }

        return false;
    }

    // Who tells is a method of its own where much is passed by silently: a closure is made at a method's start, whether it is needed or not.
    private void Tell(List<State> states, System.Action<FlowListener, List<State>> tell)
    {
        if (_observer is null)
        {
            return;
        }

        foreach (FlowListener listener in _observer)
        {
            tell(listener, states);
        }
    }

    private void Tell<T>(List<State> states, System.Func<State, T> see, System.Action<FlowListener, List<Seen<T>>> tell)
    {
        if (_observer is null || states.Count == 0)
        {
            return;
        }

        var seen = new List<Seen<T>>(states.Count);
        foreach (State state in states)
        {
            seen.Add(new Seen<T>(state, see(state)));
        }

        foreach (FlowListener listener in _observer)
        {
            tell(listener, seen);
        }
    }
}
