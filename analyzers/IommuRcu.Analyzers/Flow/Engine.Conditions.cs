// Narrows a state by a condition, or finds that the path cannot be.
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.FlowAnalysis;
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
                return Narrows(AssumeEqual);
            case ValueKind.Less:
                return Narrows(AssumeLess);
            case ValueKind.And:
                return AssumeAnd(state, condition, info.A, info.B, holds);
            case ValueKind.Is:
                // What is of a type is not null.
                return Decide(state, condition, holds) && (!holds || Narrow(state, info.A, state.RangeOf(info.A).Without(0))) && Agrees(state);
            default:
                return Decide(state, condition, holds) && Agrees(state);
        }

        // Less is possible each time, so this comes to an end.
        bool Narrows(System.Func<State, int, int, int, bool, bool> assume)
        {
            Range left = state.RangeOf(info.A);
            Range right = state.RangeOf(info.B);
            return assume(state, condition, info.A, info.B, holds) && ((state.RangeOf(info.A).Equals(left) && state.RangeOf(info.B).Equals(right)) || Agrees(state));
        }
    }

    private bool Decide(State state, int condition, bool holds) => Narrow(state, condition, state.RangeOf(condition).Within(holds ? 1 : 0, holds ? 1 : 0));

    private bool AssumeAnd(State state, int condition, int a, int b, bool holds)
    {
        if (holds)
        {
            return Decide(state, condition, true) && Assume(state, a, true) && Assume(state, b, true);
        }

        // One of several numbers side by side is a range, and nothing else need be kept of it.
        if (Either(state, a, b) is (not ValueTable.Unknown and var value, var range))
        {
            return Narrow(state, value, range) && Agrees(state);
        }

        return Decide(state, condition, false)
            && (Known(state, a) is true ? Assume(state, b, false) : Known(state, b) is true ? Assume(state, a, false) : Agrees(state));
    }

    // The number that two conditions are about, and what is left of it where one of them does not hold; no number where that is no range.
    private (int Value, Range? Range) Either(State state, int a, int b)
    {
        (int value, Range? left) = Left(state, a, false);
        (int other, Range? right) = Left(state, b, false);
        return value == ValueTable.Unknown || value != other ? default
            : left is not { } x ? (value, right)
            : right is not { } y ? (value, left)
            : x.Union(y) is { } range ? (value, range)
            : default;
    }

    // The number that a condition is about, and what is left of it where the condition holds, or does not.
    private (int Value, Range? Range) Left(State state, int condition, bool holds)
    {
        ValueInfo info = _table.Info(condition);
        return info.Kind switch
        {
            ValueKind.Not => Left(state, info.A, !holds),
            ValueKind.And when !holds => Either(state, info.A, info.B),
            ValueKind.Equal when _table.Number(info.B) is { } number => (info.A, holds ? state.RangeOf(info.A).Within(number, number) : state.RangeOf(info.A).Without(number)),
            ValueKind.Less when _table.Number(info.B) is { } limit => (info.A, holds ? state.RangeOf(info.A).Below(limit) : state.RangeOf(info.A).Within(limit, long.MaxValue)),
            ValueKind.Less when _table.Number(info.A) is { } least => (info.B, holds ? state.RangeOf(info.B).Above(least) : state.RangeOf(info.B).Within(long.MinValue, least)),
            _ => default,
        };
    }

    /// <summary>Tells what a condition is known to be, from what it is built of.</summary>
    internal static bool? Known(State state, int condition)
    {
        ValueInfo info = state.Table.Info(condition);
        switch (info.Kind)
        {
            case ValueKind.Constant:
                return info.Tag as bool?;
            case ValueKind.Not:
                return !Known(state, info.A);
            case ValueKind.And:
                return Known(state, info.A) is false || Known(state, info.B) is false ? false
                    : Known(state, info.A) is true && Known(state, info.B) is true ? true
                    : Decided(condition);
            case ValueKind.Equal when state.Table.Number(info.B) is { } number:
                Range range = state.RangeOf(info.A);
                return !range.Contains(number) ? false : range.Single == number ? true : Decided(condition);
            case ValueKind.Less:
                Range left = RangeOf(info.A);
                Range right = RangeOf(info.B);
                return left.High < right.Low ? true : left.Low >= right.High && left.Low != long.MinValue ? false : Decided(condition);
            case ValueKind.Is when state.RangeOf(info.A).Single == 0:
                return false;
            default:
                return Decided(condition);
        }

        Range RangeOf(int value) => state.Table.Number(value) is { } number ? new Range(number, number, null) : state.RangeOf(value);
        bool? Decided(int value) => state.RangeOf(value).Single switch { 0 => false, 1 => true, _ => null };
    }

    // What was said of two conditions together may decide one, or turn out to be wrong, now that more is known of the other.
    private bool Agrees(State state)
    {
        for (int i = 0; i < state.Values.Count; i++)
        {
            int value = state.Values.KeyAt(i);
            if (_table.Info(value) is not { Kind: ValueKind.And } both || state.RangeOf(value).Single != 0)
            {
                continue;
            }

            bool? left = Known(state, both.A);
            bool? right = Known(state, both.B);
            if (left is true && right is true)
            {
                return false;
            }

            if ((left is true && right is null && !Assume(state, both.B, false)) || (right is true && left is null && !Assume(state, both.A, false)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Takes the condition of a branch as true or false, and what it says of the condition that it is part of.</summary>
    /// <returns>Whether the path can be.</returns>
    private bool AssumeBranch(State state, IOperation condition, int decided, bool holds)
    {
        if (!Can(Abilities.Correlation))
        {
            return true;
        }

        if (!Assume(state, decided, holds))
        {
            return false;
        }

        // The parts of a && b are branches of their own; paths that meet again behind it still know what the whole was.
        SyntaxNode part = condition.Syntax;
        bool value = holds;
        if (!holds && WhenOf(part) is { } behind && !AssumeCase(state, behind, false))
        {
            return false;
        }

        while (part.Parent is { } whole)
        {
            switch (whole)
            {
                case WhenClauseSyntax clause:
                    return AssumeCase(state, clause, value);
                case ParenthesizedExpressionSyntax:
                    break;
                case PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalNotExpression }:
                    value = !value;
                    break;
                case BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalAndExpression } both when part == both.Right || !value:
                    if (!AssumeWhole(state, both, value))
                    {
                        return false;
                    }

                    break;
                case BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalOrExpression } either when part == either.Right || value:
                    if (!AssumeWhole(state, either, value))
                    {
                        return false;
                    }

                    break;
                default:
                    return true;
            }

            part = whole;
        }

        return true;
    }

    // A pattern and its when are one condition as well.
    private bool AssumeCase(State state, WhenClauseSyntax clause, bool holds)
    {
        PatternSyntax? pattern = (clause.Parent as CasePatternSwitchLabelSyntax)?.Pattern ?? (clause.Parent as SwitchExpressionArmSyntax)?.Pattern;
        SyntaxNode? branch = clause.Parent is SwitchExpressionArmSyntax ? clause.Parent : pattern;
        if (pattern is null || !IsOfNumbers(pattern) || !_branches.TryGetValue(branch!, out IOperation? branched) || branched is not IIsPatternOperation test || _body.Member.Relevance?.IsCurrent(test) == false)
        {
            return true;
        }

        int both = _table.And(Match(test, test.Pattern, ValueOf(test.Value, state), state), Compound(clause.Condition, state));
        return both == ValueTable.Unknown || Assume(state, both, holds);
    }

    private static WhenClauseSyntax? WhenOf(SyntaxNode branch)
        => branch is SwitchExpressionArmSyntax arm ? arm.WhenClause : (branch.Parent as CasePatternSwitchLabelSyntax)?.WhenClause;

    private static bool IsOfNumbers(PatternSyntax pattern) => pattern switch
    {
        ConstantPatternSyntax or RelationalPatternSyntax => true,
        ParenthesizedPatternSyntax parenthesized => IsOfNumbers(parenthesized.Pattern),
        UnaryPatternSyntax not => IsOfNumbers(not.Pattern),
        BinaryPatternSyntax both => IsOfNumbers(both.Left) && IsOfNumbers(both.Right),
        _ => false,
    };

    private bool AssumeWhole(State state, ExpressionSyntax whole, bool holds)
        => Compound(whole, state) is not (var value and not ValueTable.Unknown) || Assume(state, value, holds);

    /// <summary>Names a condition that is made of others, the same whenever its variables are; unknown where it has an effect.</summary>
    private int Compound(ExpressionSyntax expression, State state)
    {
        switch (expression)
        {
            case ParenthesizedExpressionSyntax parenthesized:
                return Compound(parenthesized.Expression, state);
            case PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalNotExpression } not:
                return Compound(not.Operand, state) is var operand && operand != ValueTable.Unknown ? _table.Not(operand) : ValueTable.Unknown;
            case BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalAndExpression } both:
                return _table.And(Compound(both.Left, state), Compound(both.Right, state));
            case BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalOrExpression } either:
                return _table.Or(Compound(either.Left, state), Compound(either.Right, state));
            case ConditionalExpressionSyntax conditional when Compound(conditional.Condition, state) is var test && test != ValueTable.Unknown:
                return _table.Or(_table.And(test, Compound(conditional.WhenTrue, state)), _table.And(_table.Not(test), Compound(conditional.WhenFalse, state)));
            case LiteralExpressionSyntax { RawKind: (int)SyntaxKind.TrueLiteralExpression }:
                return _table.True;
            case LiteralExpressionSyntax { RawKind: (int)SyntaxKind.FalseLiteralExpression }:
                return _table.False;
            default:
                return _branches.TryGetValue(expression, out IOperation? branch) && IsPure(branch) && _body.Member.Relevance?.IsCurrent(branch) != false ? Named(branch, state) : ValueTable.Unknown;
        }
    }

    // A test of a number by a pattern has the same name wherever it stands.
    private int Named(IOperation branch, State state)
        => branch is IIsPatternOperation { Syntax: IsPatternExpressionSyntax { Pattern: var pattern } } test && IsOfNumbers(pattern) ? Match(test, test.Pattern, ValueOf(test.Value, state), state) : ValueOf(branch, state);

    /// <summary>Tells whether an expression can be read again without effect, and then has the same name.</summary>
    private bool IsPure(IOperation operation) => operation switch
    {
        ILocalReferenceOperation or IParameterReferenceOperation or ILiteralOperation or IInstanceReferenceOperation => true,
        IFieldReferenceOperation field => _body.Map.Of(field.Field).IsEmpty && (field.Instance is null || IsPure(field.Instance)),
        IPropertyReferenceOperation { Property.Parameters.IsEmpty: true } property => _body.Map.Of(property.Property).IsEmpty && (property.Instance is null || IsPure(property.Instance)),
        IConversionOperation { OperatorMethod: null } conversion => IsPure(conversion.Operand),
        IParenthesizedOperation parenthesized => IsPure(parenthesized.Operand),
        IUnaryOperation { OperatorMethod: null } unary => IsPure(unary.Operand),
        IBinaryOperation binary => IsPure(binary.LeftOperand) && IsPure(binary.RightOperand),
        IIsTypeOperation test => IsPure(test.ValueOperand),
        IIsPatternOperation pattern => IsPure(pattern.Value),
        IIsNullOperation test => IsPure(test.Operand),
        _ => operation.ConstantValue.HasValue,
    };

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
            return Narrow(state, a, holds ? left.Below(limit) : left.Within(limit, long.MaxValue));
        }

        if (_table.Number(a) is { } least)
        {
            return Narrow(state, b, holds ? right.Above(least) : right.Within(long.MinValue, least));
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
            if (narrowed.Single == 0)
            {
                LeaveNothing(value, state);
            }
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
                return Simplify(equal);
            case INegatedPatternOperation negated:
                return _table.Not(Match(test, negated.Pattern, value, state));
            case IDeclarationPatternOperation declaration:
                Bind(declaration.DeclaredSymbol, value, state);
                return declaration.MatchesNull || declaration.MatchedType is null ? _table.True : IsIdentity(declaration.InputType, declaration.MatchedType) ? NotNull() : _table.Is(value, declaration.MatchedType);
            case ITypePatternOperation type:
                return IsIdentity(type.InputType, type.MatchedType) ? NotNull() : _table.Is(value, type.MatchedType);
            case IBinaryPatternOperation { OperatorKind: BinaryOperatorKind.And } both:
                return _table.And(Match(test, both.LeftPattern, value, state), Match(test, both.RightPattern, value, state));
            case IBinaryPatternOperation { OperatorKind: BinaryOperatorKind.Or } either:
                return _table.Or(Match(test, either.LeftPattern, value, state), Match(test, either.RightPattern, value, state));
            case IDiscardPatternOperation:
                return _table.True;
            case IRecursivePatternOperation { PropertySubpatterns.IsEmpty: true, DeconstructionSubpatterns.IsEmpty: true } recursive:
                Bind(recursive.DeclaredSymbol, value, state);
                return IsIdentity(recursive.InputType, recursive.MatchedType) ? NotNull() : _table.Is(value, recursive.MatchedType);
            case IRecursivePatternOperation { PropertySubpatterns.IsEmpty: true, InputType: INamedTypeSymbol { IsTupleType: true } tuple } positional
                when value != ValueTable.Unknown && tuple.TupleElements.Length == positional.DeconstructionSubpatterns.Length:
                int all = _table.True;
                for (int i = 0; i < tuple.TupleElements.Length; i++)
                {
                    all = _table.And(all, Match(test, positional.DeconstructionSubpatterns[i], state.Read(_table.Slot(Canonical(tuple.TupleElements[i]), value)), state));
                }

                return all;
            case IRecursivePatternOperation recursive:
                Bind(recursive.DeclaredSymbol, value, state);
                return MatchMembers(test, recursive, value, state);
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

    // Members by name are places like any other; the rest of the pattern is not followed.
    private int MatchMembers(IOperation test, IRecursivePatternOperation recursive, int value, State state)
    {
        int all = IsIdentity(recursive.InputType, recursive.MatchedType) ? _table.Not(_table.Equal(value, _table.Null)) : _table.Is(value, recursive.MatchedType);
        foreach (IPropertySubpatternOperation sub in recursive.PropertySubpatterns)
        {
            int member = sub.Member is IMemberReferenceOperation { Member: IFieldSymbol or IPropertySymbol { Parameters.IsEmpty: true } } reference && value != ValueTable.Unknown && _table.HasMembers(value)
                ? state.TryGetTemporary(sub.Member, out int read) ? read : state.Read(_table.Slot(reference.Member.OriginalDefinition, value))
                : ValueTable.Unknown;
            all = _table.And(all, member == ValueTable.Unknown ? state.Create(sub) : Match(test, sub.Pattern, member, state));
        }

        return recursive.DeconstructionSubpatterns.IsEmpty ? all : _table.And(all, state.Create(recursive));
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
