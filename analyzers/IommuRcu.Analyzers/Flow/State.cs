// What holds on one path to one point: open sections, locks, who holds which value, and what is known of the values.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A writer lock that is held.</summary>
/// <param name="Value">The value that is the lock.</param>
/// <param name="Site">The call that took it; none for the caller's.</param>
internal sealed record HeldLock(int Value, IOperation? Site)
{
    /// <summary>Gets the lock statement that gives it back by itself, where the graph does not.</summary>
    public IOperation? Statement => Site is Microsoft.CodeAnalysis.Operations.IExpressionStatementOperation ? Site : null;
}

/// <summary>A callback that was queued and may not have run.</summary>
/// <param name="Site">The call that queued it.</param>
/// <param name="Values">The values that it needs.</param>
/// <param name="MayOutlive">Whether a wait for readers has come in between, but none for callbacks.</param>
internal sealed record QueuedCallback(IOperation Site, HashSet<int> Values, IOperation? MayOutlive);

/// <summary>One path's state. Copied where paths part, joined where nothing that matters tells them apart.</summary>
internal sealed partial class State
{
    private readonly ValueTable _table;
    private List<KeyValuePair<IOperation, int>>? _temporaries;
    private ShortList<Section> _sections;
    private ShortList<Domain> _left;
    private ShortList<HeldLock> _locks;
    private ShortList<QueuedCallback> _callbacks;
    private IntMap<int> _variables;
    private IntMap<Facts> _values;
    private IntMap<int> _aliases;

    public State(ValueTable table) => _table = table;

    private State(State other)
    {
        _table = other._table;
        _sections = other._sections;
        _left = other._left;
        _locks = other._locks;
        _callbacks = other._callbacks;
        _variables = other._variables.Share();
        _values = other._values.Share();
        _aliases = other._aliases.Share();
        if (other._temporaries is { Count: > 0 } temporaries)
        {
            _temporaries = new List<KeyValuePair<IOperation, int>>(temporaries);
        }

        Waited = other.Waited;
        CallerUnknown = other.CallerUnknown;
        IsResumed = other.IsResumed;
        StaleBound = other.StaleBound;
        Version = other.Version;
        LastClosed = other.LastClosed;
        HasClosed = other.HasClosed;
    }

    /// <summary>Gets the open sections, the latest last.</summary>
    public ref ShortList<Section> Sections => ref _sections;

    /// <summary>Gets the domains whose section, the caller's, this body has left.</summary>
    public ref ShortList<Domain> Left => ref _left;

    /// <summary>Gets the writer locks held.</summary>
    public ref ShortList<HeldLock> Locks => ref _locks;

    /// <summary>Gets the callbacks queued in this body and not waited for.</summary>
    public ref ShortList<QueuedCallback> Callbacks => ref _callbacks;

    /// <summary>Gets who holds which value.</summary>
    public ref IntMap<int> Variables => ref _variables;

    /// <summary>Gets what is known of the values.</summary>
    public ref IntMap<Facts> Values => ref _values;

    /// <summary>Gets the places that ref locals stand for.</summary>
    public ref IntMap<int> Aliases => ref _aliases;

    /// <summary>Gets or sets whether a grace period has passed since the body began.</summary>
    public bool Waited { get; set; }

    /// <summary>Gets or sets whether the caller of an unannotated helper may hold what is needed.</summary>
    public bool CallerUnknown { get; set; }

    /// <summary>Gets or sets whether a helper has been suspended since it began: a section of its caller's that is bound to the thread is no longer around it.</summary>
    public bool IsResumed { get; set; }

    /// <summary>Gets or sets the bound that was read outside the open section and has decided a branch in it.</summary>
    public IOperation? StaleBound { get; set; }

    /// <summary>Gets or sets where a section was closed last.</summary>
    public IOperation? LastClosed { get; set; }

    /// <summary>Gets or sets whether every path here has closed a section.</summary>
    public bool HasClosed { get; set; }

    /// <summary>Gets how often the state was changed: tells whether it differs from what it was.</summary>
    public int Version { get; private set; }

    public ValueTable Table => _table;

    public State Clone() => new(this);

    /// <summary>Notes a change.</summary>
    public void Touch() => Version++;

    public Facts FactsOf(int value)
    {
        if (Values.TryGetValue(value, out Facts facts))
        {
            return facts;
        }

        return Facts.Nothing;
    }

    public void SetFacts(int value, Facts facts)
    {
        if (value == ValueTable.Unknown)
        {
            return;
        }

        Version++;
        if (facts.IsDefault)
        {
            Values.Remove(value);
        }
        else
        {
            Values.Set(value, facts);
        }
    }

    public Range RangeOf(int value)
        => _table.Number(value) is { } number ? new Range(number, number, null) : FactsOf(value).Range;

    /// <summary>Gets the value a place holds.</summary>
    /// <param name="slot">The place.</param>
    /// <returns>The value; for a place not assigned yet, the one it had at entry.</returns>
    public int Read(int slot)
    {
        if (Aliases.TryGetValue(slot, out int target))
        {
            slot = target;
        }

        return Variables.TryGetValue(slot, out int value) ? value : _table.Initial(slot);
    }

    public void Write(int slot, int value)
    {
        if (Aliases.TryGetValue(slot, out int target))
        {
            slot = target;
        }

        if (!Variables.TryGetValue(slot, out int old) || old != value)
        {
            Variables.Set(slot, value);
            Version++;
        }
    }

    /// <summary>Tells whether another place holds a value as well.</summary>
    /// <param name="value">The value.</param>
    /// <param name="slot">The place that is known to hold it.</param>
    /// <returns>Whether there is one.</returns>
    public bool IsHeldElsewhere(int value, int slot)
    {
        for (int i = 0; i < Variables.Count; i++)
        {
            if (Variables.ValueAt(i) == value && Variables.KeyAt(i) != slot)
            {
                return true;
            }
        }

        return false;
    }

    public void SetTemporary(IOperation operation, int value) => (_temporaries ??= new List<KeyValuePair<IOperation, int>>()).Add(new KeyValuePair<IOperation, int>(operation, value));

    public bool TryGetTemporary(IOperation operation, out int value)
    {
        for (int i = (_temporaries?.Count ?? 0) - 1; i >= 0; i--)
        {
            if (ReferenceEquals(_temporaries![i].Key, operation))
            {
                value = _temporaries[i].Value;
                return true;
            }
        }

        value = ValueTable.Unknown;
        return false;
    }

    public void ClearTemporaries() => _temporaries?.Clear();

    /// <summary>Makes a value that is created at a site; one from an earlier turn of the loop becomes an old one.</summary>
    /// <param name="operation">The site.</param>
    /// <param name="variant">Tells apart several values of one site.</param>
    /// <returns>The value.</returns>
    public int Create(IOperation operation, int variant = 0)
    {
        int value = _table.Site(operation, variant);
        Retire(value);
        return value;
    }

    /// <summary>Makes room for a new value of the same name.</summary>
    /// <param name="value">The name.</param>
    public void Retire(int value)
    {
        if (Mentions(value))
        {
            Rename(value, _table.Old(value));
        }
    }

    /// <summary>Forgets everything but what can still be reached.</summary>
    public void Collect()
    {
        for (int i = Values.Count - 1; i >= 0; i--)
        {
            int value = Values.KeyAt(i);
            Facts facts = Values.ValueAt(i);
            if (facts.HasProtocol && !IsReachable(value))
            {
                // A condition outlives the value that it was about. That a guard exists is none.
                if (facts.Range.IsFull || facts.Holder is Holder.GuardOpen or Holder.GuardClosed)
                {
                    Values.Remove(value);
                }
                else
                {
                    Values.SetAt(i, new Facts { Range = facts.Range });
                }
            }
        }
    }

    private bool IsReachable(int value)
    {
        for (int i = 0; i < Variables.Count; i++)
        {
            if (Variables.ValueAt(i) == value)
            {
                return true;
            }
        }

        for (int i = 0; i < (_temporaries?.Count ?? 0); i++)
        {
            if (_temporaries![i].Value == value)
            {
                return true;
            }
        }

        for (int i = 0; i < Aliases.Count; i++)
        {
            if (_table.SlotInfo(Aliases.ValueAt(i)) is { Symbol: not null, Index: var owner } && owner == value)
            {
                return true;
            }
        }

        ValueInfo info = _table.Info(value);
        Facts facts = FactsOf(value);

        // A gather or pin nobody can reach any more is still owed; what the body began with can be read again.
        return facts.Holder is Holder.GatherEmpty or Holder.GatherFilled or Holder.PinHeld || info.Kind is ValueKind.Initial or ValueKind.This;
    }

    private bool Mentions(int value)
    {
        for (int i = 0; i < Variables.Count; i++)
        {
            if (_table.DependsOn(Variables.ValueAt(i), value) || _table.SlotInfo(Variables.KeyAt(i)) is { Symbol: not null, Index: > 0 } slot && _table.DependsOn(slot.Index, value))
            {
                return true;
            }
        }

        for (int i = 0; i < Values.Count; i++)
        {
            if (_table.DependsOn(Values.KeyAt(i), value))
            {
                return true;
            }
        }

        foreach (Section section in Sections)
        {
            if (section.Domain.Kind == DomainKind.Receiver && _table.DependsOn(section.Domain.Receiver, value))
            {
                return true;
            }
        }

        foreach (HeldLock held in Locks)
        {
            if (_table.DependsOn(held.Value, value))
            {
                return true;
            }
        }

        return false;
    }

    private void Rename(int from, int to)
    {
        Version++;
        var variables = new List<KeyValuePair<int, int>>();
        for (int i = 0; i < Variables.Count; i++)
        {
            variables.Add(new KeyValuePair<int, int>(_table.RenameSlot(Variables.KeyAt(i), from, to), _table.Rename(Variables.ValueAt(i), from, to)));
        }

        while (Variables.Count > 0)
        {
            Variables.Remove(Variables.KeyAt(Variables.Count - 1));
        }

        foreach (KeyValuePair<int, int> variable in variables)
        {
            Variables.Set(variable.Key, variable.Value);
        }

        var values = new List<KeyValuePair<int, Facts>>();
        for (int i = 0; i < Values.Count; i++)
        {
            Facts facts = Values.ValueAt(i);
            facts = facts.Gather == from || facts.Parent == from || facts.Allocator == from
                ? facts with
                {
                    Gather = facts.Gather == from ? to : facts.Gather,
                    Parent = facts.Parent == from ? to : facts.Parent,
                    Allocator = facts.Allocator == from ? to : facts.Allocator,
                }
                : facts;
            values.Add(new KeyValuePair<int, Facts>(_table.Rename(Values.KeyAt(i), from, to), facts));
        }

        while (Values.Count > 0)
        {
            Values.Remove(Values.KeyAt(Values.Count - 1));
        }

        foreach (KeyValuePair<int, Facts> pair in values)
        {
            if (Values.TryGetValue(pair.Key, out Facts other))
            {
                // Two turns' values under one name: what they do not share is no longer known.
                Values.Set(pair.Key, other.SameProtocol(pair.Value)
                    ? other.Join(pair.Value)
                    : new Facts { Reclaim = other.Reclaim == pair.Value.Reclaim ? other.Reclaim : Reclaim.Mixed });
            }
            else
            {
                Values.Set(pair.Key, pair.Value);
            }
        }

        for (int i = 0; i < Sections.Count; i++)
        {
            Section section = Sections[i];
            if (section.Domain.Kind == DomainKind.Receiver && _table.Rename(section.Domain.Receiver, from, to) is var receiver && receiver != section.Domain.Receiver)
            {
                Sections[i] = section with { Domain = Domain.Of(receiver, section.Domain.Type) };
            }
        }

        for (int i = 0; i < Locks.Count; i++)
        {
            Locks[i] = Locks[i] with { Value = _table.Rename(Locks[i].Value, from, to) };
        }
    }
}
