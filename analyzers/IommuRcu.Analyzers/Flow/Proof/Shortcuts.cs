// Ways past the blocks that the proof need not visit, and what may be thrown on them.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace IommuRcu.Analyzers.Flow.Proof;

/// <summary>What may be thrown on a shortcut.</summary>
/// <param name="From">The region that the exception leaves first: all inside of it is passed over.</param>
/// <param name="Site">A call that may throw.</param>
internal readonly record struct Escape(ControlFlowRegion From, IOperation Site);

/// <summary>A way past plain blocks.</summary>
/// <param name="To">The block that it leads to.</param>
/// <param name="Escapes">What may be thrown on the way.</param>
internal sealed record Shortcut(BasicBlock To, IReadOnlyList<Escape> Escapes)
{
    /// <summary>Gets whether a handler or finally may see what is thrown.</summary>
    public bool IsHandled { get; } = Escapes.Any(static e => Engine.IsHandled(e.From));
}

/// <summary>The shortcuts of one function: from a plain block, where all ways through plain blocks lead to one and the same block.</summary>
internal sealed class Shortcuts
{
    private readonly FunctionTrees _trees;
    private readonly ControlFlowGraph _graph;
    private readonly Dictionary<int, Shortcut?> _known = new();
    private readonly Dictionary<ControlFlowRegion, bool> _plainRegions = new();

    public Shortcuts(FunctionTrees trees)
    {
        _trees = trees;
        _graph = trees.Graph;
    }

    /// <summary>Finds the shortcut that begins at a block.</summary>
    /// <param name="block">The block.</param>
    /// <returns>The shortcut, or none.</returns>
    public Shortcut? From(BasicBlock block)
    {
        if (!_known.TryGetValue(block.Ordinal, out Shortcut? shortcut))
        {
            _known.Add(block.Ordinal, shortcut = Find(block));
        }

        return shortcut;
    }

    private Shortcut? Find(BasicBlock start)
    {
        if (!IsPassable(start))
        {
            return null;
        }

        BasicBlock? target = null;
        var passed = new HashSet<int> { start.Ordinal };
        var work = new Stack<BasicBlock>();
        work.Push(start);
        while (work.Count > 0)
        {
            foreach (BasicBlock next in Next(work.Pop()))
            {
                if (IsPassable(next) && IsSameFunction(start, next))
                {
                    if (passed.Add(next.Ordinal))
                    {
                        work.Push(next);
                    }
                }
                else if (target is null)
                {
                    target = next;
                }
                else if (target.Ordinal != next.Ordinal)
                {
                    return null;
                }
            }
        }

        return target is null || !IsSameFunction(start, target) ? null : new Shortcut(target, EscapesOf(passed));
    }

    // A finally that is worth following is gone through as a pass of its own: no way leads into it or out of it.
    private bool IsSameFunction(BasicBlock from, BasicBlock to) => ReferenceEquals(FinallyAround(from.EnclosingRegion), FinallyAround(to.EnclosingRegion));

    private ControlFlowRegion? FinallyAround(ControlFlowRegion? region)
    {
        while (region is not null && region.Kind != ControlFlowRegionKind.Finally)
        {
            region = region.Kind == ControlFlowRegionKind.Root ? null : region.EnclosingRegion;
        }

        return region;
    }

    private bool IsPassable(BasicBlock block)
        => block.Kind == BasicBlockKind.Block && _trees.IsPlain(block.Ordinal) && IsPassable(block.FallThroughSuccessor) && IsPassable(block.ConditionalSuccessor);

    private bool IsPassable(ControlFlowBranch? branch)
    {
        if (branch is null || IsEndOfPlainFilter(branch) || IsNoArm(branch))
        {
            return true;
        }

        if (branch.Semantics is not (ControlFlowBranchSemantics.Regular or ControlFlowBranchSemantics.Return) || branch.Destination is null)
        {
            return false;
        }

        foreach (ControlFlowRegion region in branch.FinallyRegions)
        {
            if (!IsPlain(region))
            {
                return false;
            }
        }

        return true;
    }

    // An exception that a filter lets pass goes on to where all exceptions from here may go.
    private bool IsEndOfPlainFilter(ControlFlowBranch branch)
        => branch is { Semantics: ControlFlowBranchSemantics.StructuredExceptionHandling, Source.EnclosingRegion: { Kind: ControlFlowRegionKind.Filter, EnclosingRegion.EnclosingRegion: { } tryAndCatch } } && IsPlain(tryAndCatch);

    // A switch expression that has no arm for its value throws, as a call may.
    private static bool IsNoArm(ControlFlowBranch branch) => branch is { Semantics: ControlFlowBranchSemantics.Throw, Source.BranchValue: { } thrown } && Names.Unwrap(thrown) is { IsImplicit: true };

    // The blocks that may run next, handlers among them.
    private IEnumerable<BasicBlock> Next(BasicBlock block)
    {
        if (block.FallThroughSuccessor?.Destination is { } next)
        {
            yield return next;
        }

        if (block.ConditionalSuccessor?.Destination is { } other)
        {
            yield return other;
        }

        if (SiteIn(block) is null)
        {
            yield break;
        }

        for (ControlFlowRegion? region = block.EnclosingRegion; region is not null && region.Kind != ControlFlowRegionKind.Root; region = region.EnclosingRegion)
        {
            if (region is { Kind: ControlFlowRegionKind.Try, EnclosingRegion: { Kind: ControlFlowRegionKind.TryAndCatch } outer } && IsPlain(outer))
            {
                for (int i = 1; i < outer.NestedRegions.Length; i++)
                {
                    yield return _graph.Blocks[outer.NestedRegions[i].FirstBlockOrdinal];
                }
            }
        }
    }

    private List<Escape> EscapesOf(HashSet<int> passed)
    {
        var escapes = new List<Escape>();
        foreach (int ordinal in passed)
        {
            BasicBlock block = _graph.Blocks[ordinal];
            Note(block, escapes);
            NoteFinally(block.FallThroughSuccessor, escapes);
            NoteFinally(block.ConditionalSuccessor, escapes);
        }

        return escapes;
    }

    private void NoteFinally(ControlFlowBranch? branch, List<Escape> escapes)
    {
        if (branch is null)
        {
            return;
        }

        foreach (ControlFlowRegion region in branch.FinallyRegions)
        {
            for (int i = region.FirstBlockOrdinal; i <= region.LastBlockOrdinal; i++)
            {
                Note(_graph.Blocks[i], escapes);
            }
        }
    }

    private void Note(BasicBlock block, List<Escape> escapes)
    {
        if (SiteIn(block) is not { } site)
        {
            return;
        }

        // Handlers and finally blocks that are plain as a whole are passed over too: an exception may get through them.
        ControlFlowRegion region = block.EnclosingRegion;
        for (ControlFlowRegion? outer = region; outer is not null && outer.Kind != ControlFlowRegionKind.Root; outer = outer.EnclosingRegion)
        {
            if (outer.Kind is ControlFlowRegionKind.TryAndCatch or ControlFlowRegionKind.TryAndFinally)
            {
                if (!IsPlain(outer))
                {
                    break;
                }

                region = outer;
            }
        }

        foreach (Escape escape in escapes)
        {
            if (ReferenceEquals(escape.From, region))
            {
                return;
            }
        }

        escapes.Add(new Escape(region, site));
    }

    /// <summary>Finds a call in a region that may throw.</summary>
    /// <param name="region">The region.</param>
    /// <returns>The call, or none.</returns>
    public IOperation? SiteIn(ControlFlowRegion region)
    {
        for (int i = region.FirstBlockOrdinal; i <= region.LastBlockOrdinal; i++)
        {
            if (SiteIn(_graph.Blocks[i]) is { } site)
            {
                return site;
            }
        }

        return null;
    }

    private IOperation? SiteIn(BasicBlock block)
    {
        foreach (Tree tree in _trees.OperationsOf(block.Ordinal))
        {
            if (tree.MayThrow)
            {
                return tree.Root;
            }
        }

        return _trees.BranchValueOf(block.Ordinal) is { MayThrow: true } value ? value.Root : null;
    }

    /// <summary>Tells whether nothing in a region is worth following.</summary>
    /// <param name="region">The region: a finally, or a try with all its handlers.</param>
    /// <returns>Whether it can be passed over.</returns>
    public bool IsPlain(ControlFlowRegion region)
    {
        if (!_plainRegions.TryGetValue(region, out bool plain))
        {
            plain = true;
            for (int i = region.FirstBlockOrdinal; i <= region.LastBlockOrdinal && plain; i++)
            {
                BasicBlock block = _graph.Blocks[i];
                plain = _trees.IsPlain(i) && (block.FallThroughSuccessor is null || IsNoArm(block.FallThroughSuccessor) || block.FallThroughSuccessor.Semantics is not (ControlFlowBranchSemantics.Throw or ControlFlowBranchSemantics.Rethrow or ControlFlowBranchSemantics.Error));
            }

            _plainRegions.Add(region, plain);
        }

        return plain;
    }
}
