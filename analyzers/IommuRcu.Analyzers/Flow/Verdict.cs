// Judges a point by all the states that reach it: what counts as a definite fault.
using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>How sure a fault is.</summary>
internal enum Certainty : byte
{
    /// <summary>No path shows it.</summary>
    None,

    /// <summary>A path shows it, but the branches that lead there may exclude one another.</summary>
    Possible,

    /// <summary>A path shows it, by branches that are independent.</summary>
    Definite,

    /// <summary>Every path shows it.</summary>
    Always,
}

/// <summary>Judges points.</summary>
internal static class Verdict
{
    /// <summary>Judges a point.</summary>
    /// <typeparam name="T">What was seen.</typeparam>
    /// <param name="point">The point.</param>
    /// <param name="seen">All states at the point.</param>
    /// <param name="isFault">Tells whether one of them is wrong.</param>
    /// <param name="example">A wrong one.</param>
    /// <returns>How sure the fault is.</returns>
    public static Certainty Of<T>(FlowPoint point, IReadOnlyList<Seen<T>> seen, Func<Seen<T>, bool> isFault, out Seen<T> example)
    {
        example = default;
        if (!Any(seen, isFault))
        {
            return Certainty.None;
        }

        // How sure it is only the whole analysis can tell.
        point.Body.Member.Doubt();
        List<Seen<T>> wrong = seen.Where(isFault).ToList();
        example = wrong[0];
        if (wrong.Count == seen.Count)
        {
            return Certainty.Always;
        }

        List<State> right = seen.Where(s => !isFault(s)).Select(static s => s.State).ToList();
        foreach (Seen<T> one in wrong)
        {
            if (IsIndependent(one.State, right))
            {
                example = one;
                return Certainty.Definite;
            }
        }

        return Certainty.Possible;
    }

    /// <summary>Tells whether something holds in every state.</summary>
    /// <typeparam name="T">What was seen.</typeparam>
    /// <param name="point">The point.</param>
    /// <param name="seen">All states at the point.</param>
    /// <param name="holds">What is asked.</param>
    /// <returns>Whether it does; a proof that takes too many paths knows only where all agree.</returns>
    public static bool All<T>(FlowPoint point, IReadOnlyList<Seen<T>> seen, Func<Seen<T>, bool> holds)
    {
        bool all = true;
        bool any = false;
        foreach (Seen<T> one in seen)
        {
            bool isHeld = holds(one);
            all &= isHeld;
            any |= isHeld;
        }

        if (any && !all)
        {
            point.Body.Member.Doubt();
        }

        return all;
    }

    // Asked at every point, where nearly always nothing is wrong.
    private static bool Any<T>(IReadOnlyList<Seen<T>> seen, Func<Seen<T>, bool> isFault)
    {
        for (int i = 0; i < seen.Count; i++)
        {
            if (isFault(seen[i]))
            {
                return true;
            }
        }

        return false;
    }

    // The conditions that set a wrong path apart from the right ones must be free to hold together.
    private static bool IsIndependent(State wrong, List<State> right)
    {
        var apart = new List<int>();
        for (int i = 0; i < wrong.Values.Count; i++)
        {
            int value = wrong.Values.KeyAt(i);
            Range range = wrong.Values.ValueAt(i).Range;

            // A loop that goes round again has had its condition before: that is no condition more.
            if (wrong.Table.Info(value) is { Kind: ValueKind.Old } old && wrong.RangeOf(old.A).Equals(range))
            {
                continue;
            }

            // What follows from the parts of a condition says no more than they do.
            if (wrong.Table.Info(value) is { Kind: ValueKind.And } both && (range.Single == 1 || Engine.Known(wrong, both.A) is false || Engine.Known(wrong, both.B) is false))
            {
                continue;
            }

            if (!range.IsFull && !IsMade(value, wrong) && right.Any(r => !r.RangeOf(value).Equals(range)))
            {
                apart.Add(value);
            }
        }

        // What the body was given is free; what a call said may depend on anything.
        if (apart.Count == 0 || apart.All(wrong.Table.IsMadeOfInitials))
        {
            return apart.Count <= 1 || !apart.Any(a => apart.Any(b => a != b && Share(a, b, wrong.Table)));
        }

        return apart.Count == 1 && !IsGatedAfter(apart[0], wrong);
    }

    // What a call said, and later another call, may be two answers to one question.
    private static bool IsGatedAfter(int decided, State wrong)
    {
        int position = PositionOf(decided, wrong.Table);
        for (int i = 0; i < wrong.Values.Count; i++)
        {
            int value = wrong.Values.KeyAt(i);
            if (value != decided && !wrong.Values.ValueAt(i).Range.IsFull && !wrong.Table.IsMadeOfInitials(value) && !IsMade(value, wrong) && PositionOf(value, wrong.Table) > position)
            {
                return true;
            }
        }

        return false;
    }

    // That an object exists is no condition, nor that a section was opened.
    private static bool IsMade(int value, State state)
        => state.Table.Info(value).Tag is Microsoft.CodeAnalysis.Operations.IObjectCreationOperation || state.FactsOf(value).Holder is Holder.GuardOpen or Holder.GuardClosed;

    private static int PositionOf(int value, ValueTable table)
    {
        ValueInfo info = table.Info(value);
        return info.Kind switch
        {
            ValueKind.Site => ((IOperation)info.Tag!).Syntax.SpanStart,
            ValueKind.Not or ValueKind.Old or ValueKind.Is => PositionOf(info.A, table),
            ValueKind.Equal or ValueKind.Less or ValueKind.And or ValueKind.Operator => Math.Max(PositionOf(info.A, table), PositionOf(info.B, table)),
            _ => -1,
        };
    }

    private static bool Share(int a, int b, ValueTable table)
    {
        ValueInfo info = table.Info(a);
        return info.Kind switch
        {
            ValueKind.Constant or ValueKind.This => false,
            ValueKind.Initial => table.DependsOn(b, a),
            ValueKind.Not or ValueKind.Is => Share(info.A, b, table),
            ValueKind.Equal or ValueKind.Less or ValueKind.And or ValueKind.Operator => Share(info.A, b, table) || Share(info.B, b, table),
            _ => true,
        };
    }
}
