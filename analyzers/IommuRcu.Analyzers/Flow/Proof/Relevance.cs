// Finds what of a member can have to do with its contracts: the rest need not be followed to prove that they are kept.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace IommuRcu.Analyzers.Flow.Proof;

/// <summary>
/// The part of a member that the proof follows. A statement is followed that touches a contract, names a variable that may hold a value of which more is
/// known than its name, or writes a variable that such a statement reads. Everything else leaves the states as they are.
/// </summary>
internal sealed class Relevance
{
    private readonly Dictionary<ControlFlowGraph, FunctionTrees> _functions = new();
    private readonly List<FunctionTrees> _order = new();
    private readonly TreeReader _reader;
    private readonly Dictionary<IOperation, bool> _current = new();

    // By number: the variable's value must be right wherever it is read; and: more may be known of the value than that.
    private readonly List<bool> _followed = new();
    private readonly List<bool> _carrying = new();

    public Relevance(MemberAnalysis member, MemberGraphs graphs)
    {
        _reader = new TreeReader(member, graphs);
        Add(graphs.Graph);
        foreach (FunctionGraph nested in graphs.Nested)
        {
            Add(nested.Graph);
        }

        if (_reader.SeesSections)
        {
            _reader.Watched.ForEach(static w => w.Touches = true);
        }

        Follow();
    }

    /// <summary>Gets whether a flag is written anywhere in the member: what hangs on it is not lost then, although the flag itself may not be followed.</summary>
    public bool SetsFlags => _reader.SetsFlags;

    /// <summary>Gets what there is to follow in one function.</summary>
    /// <param name="graph">The function's graph.</param>
    /// <returns>Its part.</returns>
    public FunctionTrees Of(ControlFlowGraph graph) => _functions[graph];

    /// <summary>Tells whether all that an expression names has its right value whenever the expression is reached.</summary>
    /// <param name="operation">The expression, of any graph of the member.</param>
    /// <returns>Whether it can be decided.</returns>
    public bool IsCurrent(IOperation operation)
    {
        if (!_current.TryGetValue(operation, out bool current))
        {
            Tree tree = _reader.Read(operation);
            Grow();
            _current.Add(operation, current = tree.NamesOnly(_followed));
        }

        return current;
    }

    private void Add(ControlFlowGraph graph)
    {
        var function = new FunctionTrees(graph, _reader);
        _functions.Add(graph, function);
        _order.Add(function);
    }

    private void Grow()
    {
        while (_followed.Count < _reader.Count)
        {
            _followed.Add(_reader.IsAsked(_followed.Count));
            _carrying.Add(false);
        }
    }

    // Until nothing is added: what is followed makes variables matter, and they make more be followed.
    private void Follow()
    {
        Grow();
        _reader.Given.ForEach(g => Carry(g));
        bool changed = true;
        while (changed)
        {
            changed = false;
            foreach (FunctionTrees function in _order)
            {
                changed |= Follow(function);
            }
        }

        foreach (FunctionTrees function in _order)
        {
            function.Decide(_followed);
        }
    }

    private bool Follow(FunctionTrees function)
    {
        bool changed = false;
        for (int block = 0; block < function.Graph.Blocks.Length; block++)
        {
            foreach (Tree tree in function.OperationsOf(block))
            {
                changed |= Follow(tree, function);
            }

            if (function.BranchValueOf(block) is { } value)
            {
                changed |= Follow(value, function);
            }
        }

        return changed;
    }

    private bool Follow(Tree tree, FunctionTrees function)
    {
        bool carries = tree.Gives;
        bool writes = false;
        foreach (int name in tree.Names)
        {
            carries |= _carrying[name];
        }

        foreach (int name in tree.Writes)
        {
            writes |= _followed[name];
        }

        bool kept = tree.Touches || carries || writes;
        foreach (FunctionGraph called in tree.Functions)
        {
            if (Of(called.Graph).IsAnythingKept)
            {
                kept = carries = true;
            }
        }

        if (!kept)
        {
            return false;
        }

        bool changed = !tree.IsKept;
        tree.IsKept = true;
        function.IsAnythingKept = true;
        foreach (int name in tree.Names)
        {
            // What a number is matters only where it becomes the value of something that matters.
            if (writes || !_reader.IsPlain(name))
            {
                changed |= Mark(_followed, name);
            }
        }

        foreach (int name in tree.Given)
        {
            changed |= Carry(name);
        }

        if (carries || tree.Refers)
        {
            foreach (int name in tree.Writes)
            {
                changed |= Carry(name);
            }

            foreach (int name in tree.Holders)
            {
                changed |= Carry(name);
            }
        }

        return changed;
    }

    private bool Carry(int name) => Mark(_followed, name) | Mark(_carrying, name);

    private static bool Mark(List<bool> marks, int name)
    {
        if (marks[name])
        {
            return false;
        }

        marks[name] = true;
        return true;
    }
}
