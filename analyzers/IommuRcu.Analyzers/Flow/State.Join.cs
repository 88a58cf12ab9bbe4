// Joins two paths whose protocols stand at the same point; what they do not share is forgotten.
using System;
using System.Collections.Generic;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class State
{
    /// <summary>Joins another path into a copy of this one.</summary>
    /// <param name="other">The other path.</param>
    /// <param name="block">The block where they meet; values that differ get a name by it.</param>
    /// <param name="keepsFlags">Whether a flag that goes with a condition tells the two apart.</param>
    /// <param name="changed">Whether the result says less than this state did.</param>
    /// <param name="isKeptApart">Whether nothing but such a flag, or a name that may hang on one, tells them apart.</param>
    /// <returns>The joined state; none if something that matters tells the two apart.</returns>
    public State? TryJoin(State other, int block, bool keepsFlags, out bool changed, out bool isKeptApart)
    {
        changed = false;
        isKeptApart = false;
        if (!SameObligations(other))
        {
            return null;
        }

        if (SameKnowledge(other))
        {
            return this;
        }

        bool hangsTogether = keepsFlags && HasOtherFlag(other) && HasOtherCondition(other);

        var joined = new State(_table) { Waited = Waited, CallerUnknown = CallerUnknown, IsResumed = IsResumed, StaleBound = StaleBound, LastClosed = LastClosed ?? other.LastClosed, HasClosed = HasClosed && other.HasClosed };
        joined._sections = _sections;
        joined._left = _left;
        joined._locks = _locks;
        joined._callbacks = _callbacks;
        for (int alias = 0; alias < Aliases.Count; alias++)
        {
            if (other.Aliases.TryGetValue(Aliases.KeyAt(alias), out int target) && target == Aliases.ValueAt(alias))
            {
                joined.Aliases.Set(Aliases.KeyAt(alias), target);
            }
        }

        JoinNames? names = null;
        int i = 0;
        int j = 0;
        while (NextSlot(other, ref i, ref j) is var slot && slot >= 0)
        {
            if (!ValueAt(slot, other, out int a, out int b))
            {
                continue;
            }

            if (a != b && (IsNamedTwice(slot, a, other) || IsNamedTwice(slot, b, other)))
            {
                return null;
            }

            if (a != b && _table.KeepsNames && (HasOtherName(slot, a) || other.HasOtherName(slot, b)))
            {
                isKeptApart = true;
                return null;
            }

            int value = a == b ? a : SameFlag(a, b, other) is not ValueTable.Unknown and var flag ? flag : (names ??= NamesOf(other, block)).Name(slot, a, b);
            joined.Variables.Set(slot, value);
            if (!JoinFacts(joined, other, a, b, value))
            {
                return null;
            }
        }

        if (!JoinConditions(joined, other, names))
        {
            return null;
        }

        if (hangsTogether)
        {
            isKeptApart = true;
            return null;
        }

        changed = !joined.SameAs(this);
        return joined;
    }

    // Names for what differs, apart from the names of what does not.
    private JoinNames NamesOf(State other, int block)
    {
        var names = new JoinNames(_table, block);
        int i = 0;
        int j = 0;
        while (NextSlot(other, ref i, ref j) is var slot && slot >= 0)
        {
            if (ValueAt(slot, other, out int a, out int b) && a == b)
            {
                names.Keep(a);
            }
        }

        return names;
    }

    /// <summary>Tells whether two states say the same.</summary>
    /// <param name="other">The other state.</param>
    /// <returns>Whether they do.</returns>
    public bool SameAs(State other) => SameObligations(other) && SameKnowledge(other);

    private bool SameKnowledge(State other)
    {
        if (HasClosed != other.HasClosed || !Same(Variables, other.Variables) || !Same(Aliases, other.Aliases) || Values.Count != other.Values.Count)
        {
            return false;
        }

        for (int i = 0; i < Values.Count && !Values.IsSame(other.Values); i++)
        {
            Facts own = Values.ValueAt(i);
            if (Values.KeyAt(i) != other.Values.KeyAt(i) || !(ReferenceEquals(own, other.Values.ValueAt(i)) || own.SameAs(other.Values.ValueAt(i))))
            {
                return false;
            }
        }

        return true;
    }

    private static bool Same(in IntMap<int> own, in IntMap<int> other)
    {
        if (own.Count != other.Count)
        {
            return false;
        }

        for (int i = 0; i < own.Count && !own.IsSame(other); i++)
        {
            if (own.KeyAt(i) != other.KeyAt(i) || own.ValueAt(i) != other.ValueAt(i))
            {
                return false;
            }
        }

        return true;
    }

    private bool SameObligations(State other)
    {
        if (Sections.Count != other.Sections.Count || Locks.Count != other.Locks.Count || Waited != other.Waited
            || CallerUnknown != other.CallerUnknown || IsResumed != other.IsResumed || !ReferenceEquals(StaleBound, other.StaleBound) || Callbacks.Count != other.Callbacks.Count)
        {
            return false;
        }

        for (int i = 0; i < Sections.Count && !Sections.IsSame(other.Sections); i++)
        {
            if (Sections[i].Id != other.Sections[i].Id || Sections[i].Kind != other.Sections[i].Kind || !Sections[i].Domain.Equals(other.Sections[i].Domain))
            {
                return false;
            }
        }

        if (Left.Count != other.Left.Count)
        {
            return false;
        }

        for (int i = 0; i < Locks.Count && !Locks.IsSame(other.Locks); i++)
        {
            if (Locks[i].Value != other.Locks[i].Value || !ReferenceEquals(Locks[i].Statement, other.Locks[i].Statement))
            {
                return false;
            }
        }

        for (int i = 0; i < Callbacks.Count && !Callbacks.IsSame(other.Callbacks); i++)
        {
            if (!ReferenceEquals(Callbacks[i].Site, other.Callbacks[i].Site) || !ReferenceEquals(Callbacks[i].MayOutlive, other.Callbacks[i].MayOutlive))
            {
                return false;
            }
        }

        return true;
    }

    // The places that either state knows of, in order; -1 behind the last.
    private int NextSlot(State other, ref int i, ref int j)
    {
        int a = i < Variables.Count ? Variables.KeyAt(i) : int.MaxValue;
        int b = j < other.Variables.Count ? other.Variables.KeyAt(j) : int.MaxValue;
        i += a <= b ? 1 : 0;
        j += b <= a ? 1 : 0;
        return a == int.MaxValue && b == int.MaxValue ? -1 : Math.Min(a, b);
    }

    // A local that one path has not assigned yet is whatever the other says; any other place has what it had at entry.
    private bool ValueAt(int slot, State other, out int a, out int b)
    {
        bool inThis = Variables.TryGetValue(slot, out a);
        bool inOther = other.Variables.TryGetValue(slot, out b);
        bool local = _table.SlotInfo(slot).IsLocal;
        if (!inThis)
        {
            a = local ? b : _table.Initial(slot);
        }

        if (!inOther)
        {
            b = local ? a : _table.Initial(slot);
        }

        return inThis || inOther;
    }

    // Whether a variable is true in one of them, and false in the other.
    private bool HasOtherFlag(State other)
    {
        for (int i = 0; i < Variables.Count; i++)
        {
            int own = Variables.ValueAt(i);
            if (other.Variables.TryGetValue(Variables.KeyAt(i), out int value) && value != own && _table.SlotInfo(Variables.KeyAt(i)).Symbol is not null
                && FlagOf(own) is { } flag && other.FlagOf(value) is { } otherFlag && flag != otherFlag)
            {
                return true;
            }
        }

        return false;
    }

    // What is known of a value that is true or false.
    private bool? FlagOf(int value)
        => value == _table.True ? true : value == _table.False ? false
            : _table.IsBoolean(value) && FactsOf(value).Range.Single is { } number ? number != 0 : null;

    // Whether one of them knows of a condition that may be asked again what the other does not.
    private bool HasOtherCondition(State other) => KnowsMore(other) || other.KnowsMore(this);

    private bool KnowsMore(State other)
    {
        for (int i = 0; i < Values.Count; i++)
        {
            int value = Values.KeyAt(i);
            Range range = Values.ValueAt(i).Range;
            if (!range.IsFull && !range.Equals(other.FactsOf(value).Range) && (_table.IsMadeOfInitials(value) || Holds(value)))
            {
                return true;
            }
        }

        return false;
    }

    // Two flags that are both known to be true, or false, are that.
    private int SameFlag(int a, int b, State other)
        => (_table.IsBoolean(a) || _table.IsBoolean(b)) && FactsOf(a) is { HasProtocol: false } && other.FactsOf(b) is { HasProtocol: false } && ImpliedFacts(a).Range.Single is { } number && other.ImpliedFacts(b).Range.Single == number
            ? number == 0 ? _table.False : _table.True
            : ValueTable.Unknown;

    // What becomes of a page is true of every name that it has: a new name for one of them alone would hide it from the rest.
    private bool IsNamedTwice(int slot, int value, State other)
        => (FactsOf(value).Reclaim != Reclaim.None || other.FactsOf(value).Reclaim != Reclaim.None)
            && (Holds(value, slot) || other.Holds(value, slot) || IsWhereItBegan(value, slot) || other.IsWhereItBegan(value, slot));

    // Whether an object goes by another name as well, which the join would take from it.
    private bool HasOtherName(int slot, int value)
        => _table.Info(value).Kind != ValueKind.Constant && !_table.IsBoolean(value) && (Holds(value, slot) || IsWhereItBegan(value, slot));

    // What a place had at entry it has until something else is written to it.
    private bool IsWhereItBegan(int value, int except = -1)
        => _table.Info(value) is { Kind: ValueKind.Initial } began && began.A != except && !Variables.TryGetValue(began.A, out _);

    private bool JoinFacts(State joined, State other, int a, int b, int value)
    {
        Facts left = ImpliedFacts(a);
        Facts right = other.ImpliedFacts(b);
        if (a == b && _table.Info(a).Kind != ValueKind.Initial)
        {
            // A local that is undefined in one of them: the facts are those of the path that has it. What was there at entry both have.
            if (left.IsDefault && !Holds(a) && !other.FactsOf(b).IsDefault && !Knows(a))
            {
                left = right;
            }
            else if (right.IsDefault && !other.Holds(b) && !left.IsDefault && !other.Knows(b))
            {
                right = left;
            }
        }

        if (!left.SameProtocol(right))
        {
            return false;
        }

        Facts facts = Relaxed(left.Join(right), value);
        if (!facts.IsDefault && _table.Info(value).Kind != ValueKind.Constant)
        {
            joined.Values.Set(value, facts);
        }

        return true;
    }

    // A flag that may be true or false is not known at all.
    private Facts Relaxed(Facts facts, int value)
        => facts.Range is { IsFull: false, Low: 0, High: 1 } && _table.IsBoolean(value) ? facts with { Range = Range.Full } : facts;

    private bool Knows(int value) => Values.TryGetValue(value, out _);

    private bool Holds(int value, int except = -1)
    {
        for (int i = 0; i < Variables.Count; i++)
        {
            if (Variables.ValueAt(i) == value && Variables.KeyAt(i) != except)
            {
                return true;
            }
        }

        return false;
    }

    private Facts ImpliedFacts(int value)
    {
        Facts facts = FactsOf(value);
        return _table.Number(value) is { } number ? facts with { Range = new Range(number, number, null) } : facts;
    }

    // Conditions and gathers that no variable holds: a condition both paths share stays, a gather must be owed by both.
    private bool JoinConditions(State joined, State other, JoinNames? names)
    {
        for (int i = 0; i < Values.Count; i++)
        {
            int value = Values.KeyAt(i);
            if (joined.Values.TryGetValue(value, out _) || names?.IsReused(value) == true)
            {
                continue;
            }

            Facts left = Values.ValueAt(i);
            Facts right = other.FactsOf(value);
            if (!left.SameProtocol(right))
            {
                if ((Holds(value) || other.Holds(value)) && !(IsWhereItBegan(value) && other.IsWhereItBegan(value)))
                {
                    continue;
                }

                return false;
            }

            Facts facts = Relaxed(left.Join(right), value);
            if (!facts.IsDefault)
            {
                joined.Values.Set(value, facts);
            }
        }

        for (int i = 0; i < other.Values.Count; i++)
        {
            int value = other.Values.KeyAt(i);
            if (other.Values.ValueAt(i).HasProtocol && !Knows(value) && !joined.Values.TryGetValue(value, out _)
                && (!other.Holds(value) || (IsWhereItBegan(value) && other.IsWhereItBegan(value))))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Gives one name to every pair of values that meet. There are few.</summary>
    private sealed class JoinNames
    {
        private readonly ValueTable _table;
        private readonly int _block;
        private readonly List<(int A, int B, int Name)> _names = new();
        private readonly List<int> _kept = new();

        public JoinNames(ValueTable table, int block)
        {
            _table = table;
            _block = block;
        }

        public void Keep(int value) => _kept.Add(value);

        public int Name(int slot, int a, int b)
        {
            foreach ((int A, int B, int Name) known in _names)
            {
                if (known.A == a && known.B == b)
                {
                    return known.Name;
                }
            }

            int variant = 0;
            int name;
            do
            {
                name = _table.Phi(_block, slot, variant++);
            }
            while (IsTaken(name) && variant < 15);
            _names.Add((a, b, name));
            return name;
        }

        // A name that now stands for something else takes the conditions built on it away.
        public bool IsReused(int value)
        {
            foreach ((int A, int B, int Name) known in _names)
            {
                if (_table.DependsOn(value, known.Name))
                {
                    return true;
                }
            }

            return false;
        }

        private bool IsTaken(int name)
        {
            foreach ((int A, int B, int Name) known in _names)
            {
                if (known.Name == name)
                {
                    return true;
                }
            }

            return _kept.Contains(name);
        }
    }
}
