// Assignments in all their forms: what is stored where, and what that does to the value that was there.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
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
}
