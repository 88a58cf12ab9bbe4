// Which value an expression has in a state, and what is known of a value because of what it was made from.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
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
                return Simplify(_table.Equal(Left(), Right()));
            case BinaryOperatorKind.NotEquals:
                return _table.Not(Simplify(_table.Equal(Left(), Right())));
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
    private int Simplify(int value)
    {
        ValueInfo info = _table.Info(value);
        if (info.Kind == ValueKind.Equal && _table.Info(info.B) is { Kind: ValueKind.Constant, Tag: bool flag })
        {
            return flag ? info.A : _table.Not(info.A);
        }

        return value;
    }
}
