// Drives states through a control-flow graph to a fixpoint, then shows every point once to the rules.
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using IommuRcu.Analyzers.Flow.Proof;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>How a path leaves a function.</summary>
internal enum ExitKind : byte
{
    Return,
    Throw,
    CallThrows,
}

/// <summary>A path that leaves the function.</summary>
/// <param name="Kind">How.</param>
/// <param name="Site">The return, throw or call; none where the end of the body is reached.</param>
/// <param name="State">What holds there.</param>
internal sealed record Exit(ExitKind Kind, IOperation? Site, State State);

/// <summary>The analysis of one function, from given states. Not safe for several threads.</summary>
internal sealed partial class Engine
{
    /// <summary>The number of blocks beyond which a body is not analysed.</summary>
    internal const int MaximumBlocks = 600;

    private const int MaximumSteps = 3000;
    private const int StepsPerBlock = 20;

    // A proof that takes more than this saves nothing.
    private const int StatesOfProof = 12;
    private const int StepsOfProof = 8;
    private readonly Body _body;
    private readonly ValueTable _table;
    private readonly CancellationToken _cancellation;
    private readonly Dictionary<ControlFlowRegion, StateSet> _finallyEntries = new();
    private readonly List<Exit> _exits = new();
    private readonly int _depth;
    private readonly Abilities _abilities;

    // What to follow, where the body is only to be proven clean; none to follow everything.
    private readonly FunctionTrees? _trees;
    private readonly bool _watchesAllocations;
    private IReadOnlyList<FlowListener>? _observer;
    private IReadOnlyList<FlowListener>? _prover;
    private Run? _run;
    private BasicBlock? _block;
    private bool _keepExits;
    private bool _showsFinally;
    private bool _mayThrow;
    private int _steps;

    public Engine(Body body, CancellationToken cancellation, int depth = 0)
    {
        _body = body;
        _table = body.Table;
        _cancellation = cancellation;
        _depth = depth;
        _abilities = body.Member.Type.Compilation.Settings.Abilities;
        _watchesAllocations = body.Member.Type.Compilation.WatchesAllocations;
        _trees = body.Member.Relevance?.Of(body.Graph);
        FindTargetCaptures();
    }

    /// <summary>Gets the paths that leave the function.</summary>
    public IReadOnlyList<Exit> Exits => _exits;

    /// <summary>Analyses the function.</summary>
    /// <param name="entries">What may hold where it starts.</param>
    /// <param name="observer">Sees every point once, after the fixpoint; none to learn the exits alone.</param>
    /// <exception cref="GiveUpException">The body is too large or too tangled.</exception>
    public void Analyse(IEnumerable<State> entries, IReadOnlyList<FlowListener>? observer)
    {
        if (_body.Graph.Blocks.Length > MaximumBlocks)
        {
            throw new GiveUpException("it has too many branches");
        }

        var run = new Run(_body.Graph.Root, null, _body.Graph.Blocks.Length);
        foreach (State entry in entries)
        {
            run.Add(0, BlockName(0), entry);
        }

        if (_trees is not null)
        {
            // A proof needs no second look: what is wrong in any state, also one that is not complete yet, puts it in doubt.
            _keepExits = true;
            _prover = observer;
            Complete(run);
            return;
        }

        Complete(run);
        _keepExits = true;
        Show(run, observer);
        if (observer is not null)
        {
            ShowFinallyRegions(observer);
        }
    }

    private bool Can(Abilities ability) => (_abilities & ability) != 0;

    // Names for the places where paths meet, apart for every function of a member.
    private int BlockName(int ordinal) => (_body.Number * 4000) + ordinal;

    private int PassageName(int ordinal) => BlockName(ordinal) + 1000;

    private int EndName(int ordinal) => BlockName(ordinal) + 2000;

    private int CallName(int ordinal) => BlockName(ordinal) + 3000;

    private void Complete(Run run)
    {
        Run? outer = _run;
        BasicBlock? outerBlock = _block;
        _run = run;
        while (!_body.Member.IsInDoubt)
        {
            if (run.TryTake(out int ordinal))
            {
                if (++_steps > MaximumSteps + (StepsPerBlock * _body.Graph.Blocks.Length))
                {
                    throw new GiveUpException("it does not come to rest");
                }

                _cancellation.ThrowIfCancellationRequested();
                _observer = _prover;
                Visit(_body.Graph.Blocks[ordinal], run);
                _observer = null;
            }
            else if (run.TryTakePassage() is { } passage)
            {
                Pass(passage);
            }
            else
            {
                break;
            }
        }

        _run = outer;
        _block = outerBlock;
    }

    private void Show(Run run, IReadOnlyList<FlowListener>? observer)
    {
        Run? outer = _run;
        _run = run;
        for (int ordinal = run.Region.FirstBlockOrdinal; ordinal <= run.Region.LastBlockOrdinal; ordinal++)
        {
            if (run.Has(ordinal))
            {
                _observer = observer;
                Visit(_body.Graph.Blocks[ordinal], run);
                _observer = null;
            }
        }

        // Nothing new comes of it, but the exits behind the finally regions are seen.
        for (int i = 0; i < run.Passages.Count && _keepExits; i++)
        {
            Pass(run.Passages[i]);
        }

        _run = outer;
    }

    // What all ways into a finally have in common is judged together, once.
    private void ShowFinallyRegions(IReadOnlyList<FlowListener> observer)
    {
        _keepExits = false;
        _showsFinally = true;
        var shown = new HashSet<ControlFlowRegion>();
        while (_finallyEntries.Keys.FirstOrDefault(r => !shown.Contains(r)) is { } region)
        {
            shown.Add(region);
            var run = new Run(region, null, _body.Graph.Blocks.Length);
            foreach (State state in _finallyEntries[region].States)
            {
                run.Add(region.FirstBlockOrdinal, BlockName(region.FirstBlockOrdinal), state.Clone());
            }

            Complete(run);
            Show(run, observer);
        }
    }

    private void Visit(BasicBlock block, Run run)
    {
        _block = block;
        List<State> arrived = run.StatesOf(block.Ordinal);
        if (_trees is not null && (arrived.Count > StatesOfProof || _steps > StepsOfProof * _body.Graph.Blocks.Length))
        {
            _body.Member.Doubt();
            return;
        }

        var states = new List<State>(arrived.Count);
        foreach (State state in arrived)
        {
            states.Add(state.Clone());
        }

        bool hasThrown = false;
        for (int i = 0; i < block.Operations.Length; i++)
        {
            if (_trees?.OperationsOf(block.Ordinal)[i] is { IsKept: false } plain)
            {
                PassOver(plain, states, ref hasThrown);
                continue;
            }

            hasThrown = false;
            LeaveLockStatements(block.Operations[i], states);
            Execute(block.Operations[i], states);
            foreach (State state in states)
            {
                state.ClearTemporaries();
            }
        }

        if (block.BranchValue is { } value)
        {
            if (_trees?.BranchValueOf(block.Ordinal) is { IsKept: false } plain && !_trees.IsDecided(block.Ordinal))
            {
                PassOver(plain, states, ref hasThrown);
            }
            else
            {
                LeaveLockStatements(value, states);
                Execute(value, states);
            }
        }

        ControlFlowBranch? next = block.FallThroughSuccessor;
        if (block.BranchValue is not null && next?.Semantics == ControlFlowBranchSemantics.Return && _trees?.BranchValueOf(block.Ordinal) is null or { IsKept: true })
        {
            Return(block.BranchValue, states);
        }

        IReadOnlyList<FlowListener>? observer = _observer;
        _observer = null;
        if (block.ConditionKind != ControlFlowConditionKind.None && _trees?.IsDecided(block.Ordinal) == false)
        {
            if (_trees.BranchValueOf(block.Ordinal) is { IsKept: true } asked)
            {
                NoteDecision(asked.Root, states);
            }

            foreach (State state in states)
            {
                Follow(block.ConditionalSuccessor, state.Clone(), block);
                Follow(next, state, block);
            }
        }
        else if (block.ConditionKind != ControlFlowConditionKind.None && block.BranchValue is { } condition)
        {
            NoteDecision(condition, states);
            foreach (State state in states)
            {
                int decided = ValueOf(condition, state);
                State taken = state.Clone();
                if (AssumeBranch(taken, condition, decided, block.ConditionKind == ControlFlowConditionKind.WhenTrue))
                {
                    Follow(block.ConditionalSuccessor, taken, block);
                }

                if (AssumeBranch(state, condition, decided, block.ConditionKind != ControlFlowConditionKind.WhenTrue))
                {
                    Follow(next, state, block);
                }
            }
        }
        else
        {
            foreach (State state in states)
            {
                Follow(next, state, block);
            }
        }

        _observer = observer;
    }
}
