// Names the values and places of one body by small ints, the same for the same thing on every path.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>What a value is known by.</summary>
internal enum ValueKind : byte
{
    Unknown,
    Constant,
    This,
    Initial,
    Site,
    Phi,
    Old,
    Not,
    Equal,
    Less,

    /// <summary>Both of two conditions hold.</summary>
    And,

    /// <summary>A value is of a type; the tag is the type.</summary>
    Is,

    /// <summary>An operator's result, the same for the same operands; the tag is the operator.</summary>
    Operator,
    Section,
}

/// <summary>A value's name, and what it depends on.</summary>
internal readonly struct ValueInfo : IEquatable<ValueInfo>
{
    public ValueInfo(ValueKind kind, object? tag, int a, int b)
    {
        Kind = kind;
        Tag = tag;
        A = a;
        B = b;
    }

    public ValueKind Kind { get; }

    public object? Tag { get; }

    public int A { get; }

    public int B { get; }

    /// <inheritdoc/>
    public bool Equals(ValueInfo other)
        => Kind == other.Kind && A == other.A && B == other.B
            && (ReferenceEquals(Tag, other.Tag) || (Kind == ValueKind.Constant && Equals(Tag, other.Tag)));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ValueInfo other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
        => unchecked(((((int)Kind * 31) + A) * 31) + B + (Kind == ValueKind.Constant ? Tag?.GetHashCode() ?? 0 : RuntimeHelpers.GetHashCode(Tag)));
}

/// <summary>A place that holds a value: a local, parameter, static field (base 0), a member of a value, what a function returns, or a flow capture.</summary>
internal readonly struct SlotInfo : IEquatable<SlotInfo>
{
    public SlotInfo(ISymbol? symbol, int index)
    {
        Symbol = symbol;
        Index = index;
    }

    /// <summary>Gets the symbol; none for a flow capture.</summary>
    public ISymbol? Symbol { get; }

    /// <summary>Gets the value whose member it is, or the number of the capture.</summary>
    public int Index { get; }

    /// <summary>Gets whether the place is bound to the body: unassigned means undefined, not unknown.</summary>
    public bool IsLocal => Symbol is null or ILocalSymbol;

    /// <inheritdoc/>
    public bool Equals(SlotInfo other) => Index == other.Index && SymbolEqualityComparer.Default.Equals(Symbol, other.Symbol);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SlotInfo other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => unchecked((SymbolEqualityComparer.Default.GetHashCode(Symbol) * 31) + Index);
}

/// <summary>The names of one body and the functions nested in it. Not safe for several threads.</summary>
internal sealed class ValueTable
{
    /// <summary>The value nobody knows.</summary>
    public const int Unknown = 0;

    // Members of members of members are followed so deep, so that a walk down a list comes to rest.
    private const int MaximumDepth = 4;

    // One object for each operator: names are compared by reference.
    private static readonly object[] _operators = Enumerable.Range(0, 64).Select(static i => (object)i).ToArray();

    private readonly List<ValueInfo> _values = new() { default };
    private readonly Dictionary<ValueInfo, int> _valueIds = new();
    private readonly List<SlotInfo> _slots = new() { default };
    private readonly Dictionary<SlotInfo, int> _slotIds = new();
    private readonly Dictionary<ITypeSymbol, ITypeSymbol> _types = new(SymbolEqualityComparer.Default);

    public ValueTable() => Begin();

    /// <summary>Gets or sets whether a join may not take an object's second name away: it may hang on a flag that is not followed.</summary>
    public bool KeepsNames { get; set; }

    /// <summary>Forgets all names, to serve another body.</summary>
    public void Clear()
    {
        _values.Clear();
        _values.Add(default);
        _valueIds.Clear();
        _slots.Clear();
        _slots.Add(default);
        _slotIds.Clear();
        _types.Clear();
        Begin();
    }

    private void Begin()
    {
        This = Value(new ValueInfo(ValueKind.This, null, 0, 0));
        Null = Value(new ValueInfo(ValueKind.Constant, null, 0, 0));
        True = Constant(true);
        False = Constant(false);
    }

    public int This { get; private set; }

    public int Null { get; private set; }

    public int True { get; private set; }

    public int False { get; private set; }

    public ValueInfo Info(int value) => _values[value];

    public SlotInfo SlotInfo(int slot) => _slots[slot];

    public int Constant(object? value) => value is null ? Null : Value(new ValueInfo(ValueKind.Constant, value, 0, 0));

    public int Site(IOperation operation, int variant = 0) => Value(new ValueInfo(ValueKind.Site, operation, variant, 0));

    public int Old(int value) => Info(value).Kind == ValueKind.Old ? value : Value(new ValueInfo(ValueKind.Old, null, value, 0));

    /// <summary>Gets the value that a place holds before it is written in the body.</summary>
    /// <param name="slot">The place.</param>
    /// <returns>A name for it; for a member of a default value, its zero.</returns>
    public int Initial(int slot)
    {
        SlotInfo info = SlotInfo(slot);
        if (info is { Symbol: not null, Index: > 0 } && Info(info.Index) is { Kind: ValueKind.Site, Tag: IDefaultValueOperation, A: 0 }
            && TypeOf(info.Symbol) is { } type)
        {
            return type.IsReferenceType || type.TypeKind == TypeKind.Pointer ? Null
                : type.SpecialType == SpecialType.System_Boolean ? False
                : type.SpecialType is >= SpecialType.System_SByte and <= SpecialType.System_UInt64 || type.TypeKind == TypeKind.Enum ? Constant(0)
                : Value(new ValueInfo(ValueKind.Initial, null, slot, 0));
        }

        return Value(new ValueInfo(ValueKind.Initial, null, slot, 0));
    }

    public int Phi(int block, int slot, int variant) => Value(new ValueInfo(ValueKind.Phi, null, (block << 4) | variant, slot));

    public int Section(object opener) => Value(new ValueInfo(ValueKind.Section, opener, 0, 0));

    public int Slot(ISymbol symbol, int of = 0) => Slot(new SlotInfo(symbol, of));

    /// <summary>Tells whether the members of a value still have places of their own.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Whether it is not too far down a chain of members.</returns>
    public bool HasMembers(int value)
    {
        int depth = 0;
        while (Info(value) is { Kind: ValueKind.Initial } info && SlotInfo(info.A) is { Symbol: not null, Index: > 0 } slot)
        {
            value = slot.Index;
            if (++depth >= MaximumDepth)
            {
                return false;
            }
        }

        return true;
    }

    public int Capture(int number) => Slot(new SlotInfo(null, number + 1));

    public int Not(int value) => Info(value) switch
    {
        { Kind: ValueKind.Not } not => not.A,
        { Kind: ValueKind.Constant, Tag: bool b } => b ? False : True,
        _ => Value(new ValueInfo(ValueKind.Not, null, value, 0)),
    };

    public int Equal(int left, int right)
    {
        if (left == right)
        {
            return left == Unknown ? Unknown : True;
        }

        bool swap = Info(left).Kind == ValueKind.Constant || (Info(right).Kind != ValueKind.Constant && left > right);
        return Value(new ValueInfo(ValueKind.Equal, null, swap ? right : left, swap ? left : right));
    }

    public int Less(int left, int right) => Value(new ValueInfo(ValueKind.Less, null, left, right));

    public int And(int left, int right)
    {
        if (left == Unknown || right == Unknown)
        {
            return Unknown;
        }

        return left == False || right == False || left == Not(right) ? False
            : left == True || left == right ? right
            : right == True ? left
            : Value(new ValueInfo(ValueKind.And, null, Math.Min(left, right), Math.Max(left, right)));
    }

    public int Or(int left, int right) => left == Unknown || right == Unknown ? Unknown : Not(And(Not(left), Not(right)));

    public int Is(int value, ITypeSymbol type) => value == Unknown ? Unknown : value == Null ? False : Value(new ValueInfo(ValueKind.Is, _types.TryGetValue(type, out ITypeSymbol known) ? known : Remember(type), value, 0));

    /// <summary>Names the result of an operator that has no effect.</summary>
    /// <param name="kind">The operator.</param>
    /// <param name="left">The left operand.</param>
    /// <param name="right">The right operand.</param>
    /// <returns>The result.</returns>
    public int Operator(BinaryOperatorKind kind, int left, int right)
        => left == Unknown || right == Unknown ? Unknown : Value(new ValueInfo(ValueKind.Operator, _operators[(int)kind % _operators.Length], left, right));

    private ITypeSymbol Remember(ITypeSymbol type)
    {
        _types.Add(type, type);
        return type;
    }

    /// <summary>Gets a constant as a number: null 0, false 0, true 1.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The number, or none where the value is not such a constant.</returns>
    public long? Number(int value)
    {
        ValueInfo info = Info(value);
        return info.Kind != ValueKind.Constant ? null : info.Tag switch
        {
            null => 0,
            bool b => b ? 1 : 0,
            int i => i,
            uint i => i,
            long i => i,
            ulong i => i <= long.MaxValue ? (long)i : null,
            short i => i,
            ushort i => i,
            byte i => i,
            sbyte i => i,
            char c => c,
            _ => null,
        };
    }

    /// <summary>Tells whether a value is true or false.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Whether its name says so.</returns>
    public bool IsBoolean(int value)
    {
        ValueInfo info = Info(value);
        return info.Kind switch
        {
            ValueKind.Not or ValueKind.Equal or ValueKind.Less or ValueKind.And or ValueKind.Is => true,
            ValueKind.Old => IsBoolean(info.A),
            ValueKind.Site => info.B == 0 && info.A == 0 && info.Tag is IOperation { Type.SpecialType: SpecialType.System_Boolean },
            ValueKind.Initial => IsBooleanSlot(info.A),
            ValueKind.Phi => IsBooleanSlot(info.B),
            _ => false,
        };
    }

    private bool IsBooleanSlot(int slot) => TypeOf(SlotInfo(slot).Symbol) is { SpecialType: SpecialType.System_Boolean };

    /// <summary>Gets the type of what a place holds.</summary>
    /// <param name="place">The variable or member, or the function whose result it is.</param>
    /// <returns>The type; none for a flow capture.</returns>
    public static ITypeSymbol? TypeOf(ISymbol? place) => place switch
    {
        ILocalSymbol local => local.Type,
        IParameterSymbol parameter => parameter.Type,
        IFieldSymbol field => field.Type,
        IPropertySymbol property => property.Type,
        IMethodSymbol method => method.ReturnType,
        _ => null,
    };

    /// <summary>Tells whether a value's name is built on another's.</summary>
    /// <param name="value">The value.</param>
    /// <param name="on">The other.</param>
    /// <returns>Whether it is, at any depth.</returns>
    public bool DependsOn(int value, int on)
    {
        if (value == on)
        {
            return true;
        }

        ValueInfo info = Info(value);
        return info.Kind switch
        {
            ValueKind.Not or ValueKind.Old or ValueKind.Is => DependsOn(info.A, on),
            ValueKind.Equal or ValueKind.Less or ValueKind.And or ValueKind.Operator => DependsOn(info.A, on) || DependsOn(info.B, on),
            ValueKind.Initial => SlotInfo(info.A) is { Symbol: not null, Index: not 0 } slot && DependsOn(slot.Index, on),
            _ => false,
        };
    }

    /// <summary>Tells whether a value can be asked for again in the whole body: it is made of nothing but constants and what the body began with.</summary>
    /// <param name="value">The value.</param>
    /// <returns>Whether it is.</returns>
    public bool IsMadeOfInitials(int value)
    {
        ValueInfo info = Info(value);
        return info.Kind switch
        {
            ValueKind.Initial or ValueKind.This or ValueKind.Constant => true,
            ValueKind.Not or ValueKind.Is => IsMadeOfInitials(info.A),
            ValueKind.Equal or ValueKind.Less or ValueKind.And or ValueKind.Operator => IsMadeOfInitials(info.A) && IsMadeOfInitials(info.B),
            _ => false,
        };
    }

    /// <summary>Replaces a value inside the names that are built on it.</summary>
    /// <param name="value">The value to rename.</param>
    /// <param name="from">What is replaced.</param>
    /// <param name="to">What by.</param>
    /// <returns>The renamed value.</returns>
    public int Rename(int value, int from, int to)
    {
        if (value == from)
        {
            return to;
        }

        ValueInfo info = Info(value);
        switch (info.Kind)
        {
            case ValueKind.Not when DependsOn(info.A, from):
                return Not(Rename(info.A, from, to));
            case ValueKind.Equal when DependsOn(value, from):
                return Equal(Rename(info.A, from, to), Rename(info.B, from, to));
            case ValueKind.Less when DependsOn(value, from):
                return Less(Rename(info.A, from, to), Rename(info.B, from, to));
            case ValueKind.And when DependsOn(value, from):
                return And(Rename(info.A, from, to), Rename(info.B, from, to));
            case ValueKind.Is when DependsOn(info.A, from):
                return Value(new ValueInfo(ValueKind.Is, info.Tag, Rename(info.A, from, to), 0));
            case ValueKind.Operator when DependsOn(value, from):
                return Value(new ValueInfo(ValueKind.Operator, info.Tag, Rename(info.A, from, to), Rename(info.B, from, to)));
            case ValueKind.Initial:
                int slot = RenameSlot(info.A, from, to);
                return slot == info.A ? value : Initial(slot);
            default:
                return value;
        }
    }

    /// <summary>Replaces a value inside a place that is a member of it.</summary>
    /// <param name="slot">The place.</param>
    /// <param name="from">What is replaced.</param>
    /// <param name="to">What by.</param>
    /// <returns>The renamed place.</returns>
    public int RenameSlot(int slot, int from, int to)
    {
        SlotInfo info = SlotInfo(slot);
        if (info.Symbol is null || info.Index == 0)
        {
            return slot;
        }

        int owner = Rename(info.Index, from, to);
        return owner == info.Index ? slot : Slot(info.Symbol, owner);
    }

    private int Value(ValueInfo info)
    {
        if (!_valueIds.TryGetValue(info, out int id))
        {
            id = _values.Count;
            _values.Add(info);
            _valueIds.Add(info, id);
        }

        return id;
    }

    private int Slot(SlotInfo info)
    {
        if (!_slotIds.TryGetValue(info, out int id))
        {
            id = _slots.Count;
            _slots.Add(info);
            _slotIds.Add(info, id);
        }

        return id;
    }
}
