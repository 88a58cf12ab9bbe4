// One pass over a region: the states at its blocks, the ways through its finally regions, and what is still to be done.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    /// <summary>Where a path goes on after a finally: along a branch, or up with an exception.</summary>
    /// <param name="Branch">The branch; none for an exception.</param>
    /// <param name="Passed">How many of the branch's finally regions are behind it then.</param>
    /// <param name="Outer">The region that the exception leaves.</param>
    /// <param name="Kind">How the exception leaves the function, where that is of interest.</param>
    /// <param name="Thrown">The exception's type, if it is known.</param>
    private sealed record Way(ControlFlowBranch? Branch, int Passed, ControlFlowRegion? Outer, ExitKind? Kind, ITypeSymbol? Thrown);

    /// <summary>All states that pass one finally on one way.</summary>
    private sealed class Passage
    {
        public Passage(ControlFlowRegion region, Way way, IOperation? site, int name)
        {
            Region = region;
            Way = way;
            Site = site;
            Entries = new StateSet(name);
        }

        public ControlFlowRegion Region { get; }

        public Way Way { get; }

        /// <summary>Gets what threw first.</summary>
        public IOperation? Site { get; }

        public StateSet Entries { get; }

        public bool IsPending { get; set; }
    }

    /// <summary>The states of one pass over a region: the whole graph, or a finally on one way through it.</summary>
    private sealed class Run
    {
        private readonly StateSet?[] _sets;
        private readonly bool[] _isWaiting;
        private int _first;

        public Run(ControlFlowRegion region, Run? outer, int blocks)
        {
            Region = region;
            Outer = outer;
            _sets = new StateSet?[blocks];
            _isWaiting = new bool[blocks];
            _first = blocks;
        }

        public ControlFlowRegion Region { get; }

        public Run? Outer { get; }

        /// <summary>Gets the ways through the finally regions that were met.</summary>
        public List<Passage> Passages { get; } = new(2);

        /// <summary>Gets the states that reach the end of a finally or filter.</summary>
        public List<State> Ends { get; } = new();

        public bool Has(int ordinal) => _sets[ordinal] is { States.Count: > 0 };

        public List<State> StatesOf(int ordinal) => _sets[ordinal]!.States;

        /// <summary>Finds the pass that a block belongs to: this one, or one around it.</summary>
        /// <param name="ordinal">The block.</param>
        /// <returns>The pass.</returns>
        public Run? Owner(int ordinal)
        {
            Run? run = this;
            while (run is not null && (ordinal < run.Region.FirstBlockOrdinal || ordinal > run.Region.LastBlockOrdinal))
            {
                run = run.Outer;
            }

            return run;
        }

        public void Add(int ordinal, int name, State state)
        {
            if (Owner(ordinal) is { } run && (run._sets[ordinal] ??= new StateSet(name)).Add(state))
            {
                run._isWaiting[ordinal] = true;
                run._first = System.Math.Min(run._first, ordinal);
            }
        }

        public void Enter(ControlFlowRegion region, Way way, IOperation? site, int name, State state)
        {
            Passage? passage = null;
            foreach (Passage known in Passages)
            {
                if (ReferenceEquals(known.Region, region) && known.Way.Equals(way))
                {
                    passage = known;
                    break;
                }
            }

            if (passage is null)
            {
                Passages.Add(passage = new Passage(region, way, site, name));
            }

            passage.IsPending |= passage.Entries.Add(state);
        }

        public bool TryTake(out int ordinal)
        {
            while (_first < _isWaiting.Length && !_isWaiting[_first])
            {
                _first++;
            }

            ordinal = _first;
            if (ordinal == _isWaiting.Length)
            {
                return false;
            }

            _isWaiting[ordinal] = false;
            return true;
        }

        /// <summary>Takes a way with new states: the innermost finally first, so that the ones around it see all at once.</summary>
        /// <returns>The way, or none.</returns>
        public Passage? TryTakePassage()
        {
            Passage? next = null;
            foreach (Passage passage in Passages)
            {
                if (passage.IsPending && (next is null || passage.Region.FirstBlockOrdinal < next.Region.FirstBlockOrdinal))
                {
                    next = passage;
                }
            }

            if (next is not null)
            {
                next.IsPending = false;
            }

            return next;
        }
    }
}
