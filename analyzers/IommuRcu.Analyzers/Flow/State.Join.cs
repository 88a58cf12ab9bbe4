// Joins two paths whose protocols stand at the same point; what they do not share is forgotten.
using System.Collections.Generic;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class State
{
    /// <summary>Joins another path into a copy of this one.</summary>
    /// <param name="other">The other path.</param>
    /// <param name="block">The block where they meet; values that differ get a name by it.</param>
    /// <param name="changed">Whether the result says less than this state did.</param>
    /// <returns>The joined state; none if something that matters tells the two apart.</returns>
    public State? TryJoin(State other, int block, out bool changed)
    {
        changed = false;
        if (!SameObligations(other))
        {
            return null;
        }

        if (SameKnowledge(other))
        {
            return this;
        }

        var joined = new State(_table) { Waited = Waited, CallerUnknown = CallerUnknown, StaleBound = StaleBound, LastClosed = LastClosed ?? other.LastClosed, HasClosed = HasClosed && other.HasClosed };
        joined.Sections.AddRange(Sections);
        joined.Left.AddRange(Left);
        joined.Locks.AddRange(Locks);
        joined.Callbacks.AddRange(Callbacks);
        for (int i = 0; i < Aliases.Count; i++)
        {
            if (other.Aliases.TryGetValue(Aliases.KeyAt(i), out int target) && target == Aliases.ValueAt(i))
            {
                joined.Aliases.Set(Aliases.KeyAt(i), target);
            }
        }

        List<int> slots = AllSlots(other);
        JoinNames? names = null;
        foreach (int slot in slots)
        {
            if (!ValueAt(slot, other, out int a, out int b))
            {
                continue;
            }

            int value = a == b ? a : (names ??= NamesOf(other, slots, block)).Name(slot, a, b);
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

        changed = !joined.SameAs(this);
        return joined;
    }

    // Names for what differs, apart from the names of what does not.
    private JoinNames NamesOf(State other, List<int> slots, int block)
    {
        var names = new JoinNames(_table, block);
        foreach (int slot in slots)
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

    private static bool Same(IntMap<int> own, IntMap<int> other)
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
            || CallerUnknown != other.CallerUnknown || !ReferenceEquals(StaleBound, other.StaleBound) || Callbacks.Count != other.Callbacks.Count)
        {
            return false;
        }

        for (int i = 0; i < Sections.Count; i++)
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

        for (int i = 0; i < Locks.Count; i++)
        {
            if (Locks[i].Value != other.Locks[i].Value)
            {
                return false;
            }
        }

        for (int i = 0; i < Callbacks.Count; i++)
        {
            if (!ReferenceEquals(Callbacks[i].Site, other.Callbacks[i].Site) || !ReferenceEquals(Callbacks[i].MayOutlive, other.Callbacks[i].MayOutlive))
            {
                return false;
            }
        }

        return true;
    }

    private List<int> AllSlots(State other)
    {
        var slots = new List<int>(Variables.Count + other.Variables.Count);
        int i = 0;
        int j = 0;
        while (i < Variables.Count || j < other.Variables.Count)
        {
            int a = i < Variables.Count ? Variables.KeyAt(i) : int.MaxValue;
            int b = j < other.Variables.Count ? other.Variables.KeyAt(j) : int.MaxValue;
            slots.Add(a < b ? a : b);
            i += a <= b ? 1 : 0;
            j += b <= a ? 1 : 0;
        }

        return slots;
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

    private bool JoinFacts(State joined, State other, int a, int b, int value)
    {
        Facts left = ImpliedFacts(a);
        Facts right = other.ImpliedFacts(b);
        if (a == b)
        {
            // A local that is undefined in one of them: the facts are those of the path that has it.
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

    private bool Holds(int value)
    {
        for (int i = 0; i < Variables.Count; i++)
        {
            if (Variables.ValueAt(i) == value)
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
                if (Holds(value) || other.Holds(value))
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
            if (other.Values.ValueAt(i).HasProtocol && !Knows(value) && !joined.Values.TryGetValue(value, out _) && !other.Holds(value))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Gives one name to every pair of values that meet.</summary>
    private sealed class JoinNames
    {
        private readonly ValueTable _table;
        private readonly int _block;
        private readonly Dictionary<long, int> _names = new();
        private readonly HashSet<int> _taken = new();
        private readonly HashSet<int> _reused = new();

        public JoinNames(ValueTable table, int block)
        {
            _table = table;
            _block = block;
        }

        public void Keep(int value)
        {
            _names[Key(value, value)] = value;
            _taken.Add(value);
        }

        public int Name(int slot, int a, int b)
        {
            if (_names.TryGetValue(Key(a, b), out int name))
            {
                return name;
            }

            int variant = 0;
            do
            {
                name = _table.Phi(_block, slot, variant++);
            }
            while (!_taken.Add(name) && variant < 15);
            _names.Add(Key(a, b), name);
            _reused.Add(name);
            return name;
        }

        // A name that now stands for something else takes the conditions built on it away.
        public bool IsReused(int value)
        {
            foreach (int name in _reused)
            {
                if (_table.DependsOn(value, name))
                {
                    return true;
                }
            }

            return false;
        }

        private static long Key(int a, int b) => ((long)a << 32) | (uint)b;
    }
}
