// Narrows a state by a condition, or finds that the path cannot be.
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    /// <summary>Takes a condition as true or false.</summary>
    /// <returns>Whether the path can be.</returns>
    private bool Assume(State state, int condition, bool holds)
    {
        if (condition == ValueTable.Unknown)
        {
            return true;
        }

        ValueInfo info = _table.Info(condition);
        switch (info.Kind)
        {
            case ValueKind.Constant:
                return info.Tag is not bool constant || constant == holds;
            case ValueKind.Not:
                return Assume(state, info.A, !holds);
            case ValueKind.Equal:
                return AssumeEqual(state, condition, info.A, info.B, holds);
            case ValueKind.Less:
                return AssumeLess(state, condition, info.A, info.B, holds);
            default:
                return Narrow(state, condition, state.RangeOf(condition).Within(holds ? 1 : 0, holds ? 1 : 0));
        }
    }

    private bool AssumeEqual(State state, int condition, int a, int b, bool holds)
    {
        if (_table.Number(b) is { } number)
        {
            return Narrow(state, a, holds ? state.RangeOf(a).Within(number, number) : state.RangeOf(a).Without(number));
        }

        if (_table.Number(a) is { } other)
        {
            return Narrow(state, b, holds ? state.RangeOf(b).Within(other, other) : state.RangeOf(b).Without(other));
        }

        Range left = state.RangeOf(a);
        Range right = state.RangeOf(b);
        if (holds)
        {
            // A value that is null and one that is not cannot be equal.
            if (left.Within(right.Low, right.High) is null || (left.Single == 0 && !right.Contains(0)) || (right.Single == 0 && !left.Contains(0)))
            {
                return false;
            }
        }
        else if (left.Single is { } x && right.Single == x)
        {
            return false;
        }

        return Narrow(state, condition, state.RangeOf(condition).Within(holds ? 1 : 0, holds ? 1 : 0));
    }

    private bool AssumeLess(State state, int condition, int a, int b, bool holds)
    {
        Range left = state.RangeOf(a);
        Range right = state.RangeOf(b);
        if (_table.Number(b) is { } limit)
        {
            return Narrow(state, a, holds ? limit == long.MinValue ? null : left.Within(long.MinValue, limit - 1) : left.Within(limit, long.MaxValue));
        }

        if (_table.Number(a) is { } least)
        {
            return Narrow(state, b, holds ? least == long.MaxValue ? null : right.Within(least + 1, long.MaxValue) : right.Within(long.MinValue, least));
        }

        if (holds ? left.Low >= right.High && left.Low != long.MinValue : left.High < right.Low)
        {
            return false;
        }

        return Narrow(state, condition, state.RangeOf(condition).Within(holds ? 1 : 0, holds ? 1 : 0));
    }

    private bool Narrow(State state, int value, Range? range)
    {
        if (range is not { } narrowed)
        {
            return false;
        }

        if (value != ValueTable.Unknown && _table.Info(value).Kind is not (ValueKind.Constant or ValueKind.This) && !state.RangeOf(value).Equals(narrowed))
        {
            state.SetFacts(value, state.FactsOf(value) with { Range = narrowed });
        }

        return _table.Info(value).Kind != ValueKind.This || narrowed.Contains(1) || !(narrowed.Single == 0);
    }

    // The value of a pattern test; names that the pattern introduces are bound at once.
    private int Match(IOperation test, IPatternOperation pattern, int value, State state)
    {
        switch (pattern)
        {
            case IConstantPatternOperation constant when constant.Value.ConstantValue.HasValue:
                int equal = _table.Equal(value, _table.Constant(constant.Value.ConstantValue.Value));
                return Simplify(equal, state);
            case INegatedPatternOperation negated:
                return _table.Not(Match(test, negated.Pattern, value, state));
            case IDeclarationPatternOperation declaration:
                Bind(declaration.DeclaredSymbol, value, state);
                return declaration.MatchesNull ? _table.True : IsIdentity(declaration.InputType, declaration.MatchedType) ? NotNull() : Opaque();
            case ITypePatternOperation type:
                return IsIdentity(type.InputType, type.MatchedType) ? NotNull() : Opaque();
            case IDiscardPatternOperation:
                return _table.True;
            case IRecursivePatternOperation { PropertySubpatterns.IsEmpty: true, DeconstructionSubpatterns.IsEmpty: true } recursive:
                Bind(recursive.DeclaredSymbol, value, state);
                return IsIdentity(recursive.InputType, recursive.MatchedType) ? NotNull() : Opaque();
            case IRecursivePatternOperation recursive:
                Bind(recursive.DeclaredSymbol, value, state);
                return Opaque();
            case IRelationalPatternOperation relational when relational.Value.ConstantValue.HasValue:
                int limit = _table.Constant(relational.Value.ConstantValue.Value);
                return relational.OperatorKind switch
                {
                    BinaryOperatorKind.LessThan => _table.Less(value, limit),
                    BinaryOperatorKind.GreaterThan => _table.Less(limit, value),
                    BinaryOperatorKind.LessThanOrEqual => _table.Not(_table.Less(limit, value)),
                    BinaryOperatorKind.GreaterThanOrEqual => _table.Not(_table.Less(value, limit)),
                    _ => Opaque(),
                };
            default:
                return Opaque();
        }

        int NotNull() => _table.Not(_table.Equal(value, _table.Null));
        int Opaque() => state.Create(pattern);
    }

    private void Bind(ISymbol? symbol, int value, State state)
    {
        if (symbol is ILocalSymbol local)
        {
            state.Write(_table.Slot(local), value);
        }
    }

    private bool IsIdentity(ITypeSymbol from, ITypeSymbol? to)
        => to is null || SymbolEqualityComparer.Default.Equals(from, to) || _body.Map.Compilation.ClassifyCommonConversion(from, to) is { IsImplicit: true, IsReference: true };

    // A bound that was read outside the open section, and now decides which way the section goes.
    private void NoteDecision(IOperation condition, System.Collections.Generic.List<State> states)
    {
        foreach (State state in states)
        {
            if (state.Sections.Count > 0 && state.StaleBound is null && StaleBoundIn(condition, state) is { } stale)
            {
                state.StaleBound = stale;
                state.Touch();
            }
        }
    }

    private IOperation? StaleArgument(CallSite call, State state)
    {
        if (state.Sections.Count > 0)
        {
            foreach (IArgumentOperation argument in call.Arguments)
            {
                if (StaleBoundIn(argument.Value, state) is { } stale)
                {
                    return stale;
                }
            }
        }

        return null;
    }

    private IOperation? StaleBoundIn(IOperation operation, State state)
    {
        Facts facts = state.FactsOf(ValueOf(operation, state));
        if (facts.IsBound && facts.Origin is OriginKind.Outside or OriginKind.Closed)
        {
            return facts.OriginSite;
        }

        foreach (IOperation child in operation.ChildOperations)
        {
            if (StaleBoundIn(child, state) is { } stale)
            {
                return stale;
            }
        }

        return null;
    }
}
