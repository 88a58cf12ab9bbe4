// The statements and conditions of one function, block by block, and which of them the proof follows.
using System.Collections.Generic;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace IommuRcu.Analyzers.Flow.Proof;

/// <summary>One function's statements.</summary>
internal sealed class FunctionTrees
{
    private readonly Tree[][] _operations;
    private readonly Tree?[] _branchValues;
    private readonly bool[] _isDecided;

    public FunctionTrees(ControlFlowGraph graph, TreeReader reader)
    {
        Graph = graph;
        Shortcuts = new Shortcuts(this);
        _operations = new Tree[graph.Blocks.Length][];
        _branchValues = new Tree?[graph.Blocks.Length];
        _isDecided = new bool[graph.Blocks.Length];
        foreach (BasicBlock block in graph.Blocks)
        {
            Tree[] operations = block.Operations.IsEmpty ? System.Array.Empty<Tree>() : new Tree[block.Operations.Length];
            for (int i = 0; i < operations.Length; i++)
            {
                operations[i] = reader.Read(block.Operations[i]);
            }

            _operations[block.Ordinal] = operations;
            if (block.BranchValue is { } value)
            {
                _branchValues[block.Ordinal] = reader.Read(value);
            }
        }
    }

    public ControlFlowGraph Graph { get; }

    /// <summary>Gets the ways past what is not followed.</summary>
    public Shortcuts Shortcuts { get; }

    /// <summary>Gets or sets whether anything in the function is followed.</summary>
    public bool IsAnythingKept { get; set; }

    public Tree[] OperationsOf(int block) => _operations[block];

    public Tree? BranchValueOf(int block) => _branchValues[block];

    /// <summary>Tells whether a block's condition is worth deciding: all that it names has its right value.</summary>
    /// <param name="block">The block.</param>
    /// <returns>Whether it is; where not, both ways are gone.</returns>
    public bool IsDecided(int block) => _isDecided[block];

    /// <summary>Finds the conditions that can be decided.</summary>
    /// <param name="followed">The variables that have their right values, by number.</param>
    public void Decide(List<bool> followed)
    {
        for (int i = 0; i < _branchValues.Length; i++)
        {
            _isDecided[i] = _branchValues[i] is { } value && (value.IsKept || !value.MayThrow) && (value.Names.Count > 0 || value.IsKept || value.Root.ConstantValue.HasValue) && value.NamesOnly(followed);
        }
    }

    /// <summary>Tells whether a block does nothing that the proof follows, nor decides anything.</summary>
    /// <param name="block">The block.</param>
    /// <returns>Whether it can be passed over.</returns>
    public bool IsPlain(int block)
    {
        if (_branchValues[block] is { IsKept: true } || _isDecided[block])
        {
            return false;
        }

        foreach (Tree operation in _operations[block])
        {
            if (operation.IsKept)
            {
                return false;
            }
        }

        return true;
    }
}
