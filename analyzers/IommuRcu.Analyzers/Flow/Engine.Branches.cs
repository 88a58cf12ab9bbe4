// Follows branches: through finally blocks, into handlers, and out of the function.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private void Follow(ControlFlowBranch? branch, State state, BasicBlock source)
    {
        if (branch is null)
        {
            return;
        }

        switch (branch.Semantics)
        {
            case ControlFlowBranchSemantics.Throw:
                state.ClearTemporaries();
                Throw(source.EnclosingRegion, state, ExitKind.Throw, source.BranchValue, source.BranchValue is { } thrown ? Names.Unwrap(thrown)?.Type : null);
                return;
            case ControlFlowBranchSemantics.Rethrow:
                Throw(source.EnclosingRegion, state, ExitKind.CallThrows, null, null);
                return;
            case ControlFlowBranchSemantics.StructuredExceptionHandling:
                state.ClearTemporaries();
                _run!.Ends.Add(state);
                return;
            case ControlFlowBranchSemantics.Regular or ControlFlowBranchSemantics.Return:
                break;
            default:
                return;
        }

        state.ClearTemporaries();
        var states = new List<State> { state };
        foreach (ControlFlowRegion region in branch.FinallyRegions)
        {
            states = RunFinally(region, states);
        }

        foreach (State arriving in states)
        {
            foreach (ControlFlowRegion left in branch.LeavingRegions)
            {
                Forget(left, arriving);
            }

            if (branch.Destination is not { } destination)
            {
                continue;
            }

            if (destination.Kind == BasicBlockKind.Exit)
            {
                if (_keepExits)
                {
                    _exits.Add(new Exit(ExitKind.Return, branch.Semantics == ControlFlowBranchSemantics.Return ? source.BranchValue : null, arriving));
                }
            }
            else
            {
                arriving.Collect();
                _run!.Add(destination.Ordinal, BlockName(destination.Ordinal), arriving);
            }
        }
    }

    private void Forget(ControlFlowRegion region, State state)
    {
        foreach (ILocalSymbol local in region.Locals)
        {
            int slot = _table.Slot(local);
            state.Variables.Remove(slot);
            state.Aliases.Remove(slot);
        }

        foreach (CaptureId capture in region.CaptureIds)
        {
            state.Variables.Remove(_table.Capture(capture.GetHashCode()));
        }
    }

    private List<State> RunFinally(ControlFlowRegion region, List<State> states)
    {
        int first = region.FirstBlockOrdinal;
        var run = new Run(region, _run, _body.Graph.Blocks.Length);
        if (!_finallyEntries.TryGetValue(region, out StateSet? entries))
        {
            entries = new StateSet(BlockName(first));
            _finallyEntries.Add(region, entries);
        }

        foreach (State state in states)
        {
            state.Collect();
            entries.Add(state.Clone());
            run.Add(first, BlockName(first), state.Clone());
        }

        Complete(run);

        // Paths that met in the finally part again only where something that matters tells them apart.
        var ends = new StateSet(BlockName(region.LastBlockOrdinal) + 500);
        foreach (State end in run.Ends)
        {
            ends.Add(end);
        }

        return ends.States;
    }

    // Shows the states before an operation that may throw to whatever handles it.
    private void MayThrow(IOperation operation, List<State> states, bool leavesFunction)
    {
        bool handled = false;
        for (ControlFlowRegion? region = _block!.EnclosingRegion; region is not null && region.Kind != ControlFlowRegionKind.Root; region = region.EnclosingRegion)
        {
            handled |= region.Kind is ControlFlowRegionKind.Try;
        }

        if (!handled && !leavesFunction)
        {
            return;
        }

        IReadOnlyList<FlowListener>? observer = _observer;
        _observer = null;
        foreach (State state in states)
        {
            if (handled || HasDebts(state))
            {
                State thrown = state.Clone();
                thrown.ClearTemporaries();
                Throw(_block.EnclosingRegion, thrown, leavesFunction ? ExitKind.CallThrows : null, operation, null);
            }
        }

        _observer = observer;
    }

    private static bool HasDebts(State state)
    {
        foreach (Section section in state.Sections)
        {
            if (section.Kind == SectionKind.Opened)
            {
                return true;
            }
        }

        for (int i = 0; i < state.Values.Count; i++)
        {
            if (state.Values.ValueAt(i).Holder is Holder.PinHeld or Holder.GatherFilled)
            {
                return true;
            }
        }

        return false;
    }

    private void Throw(ControlFlowRegion? region, State state, ExitKind? kind, IOperation? site, ITypeSymbol? thrown)
    {
        var states = new List<State> { state };
        // The root of a lambda's graph stands inside a region of the outer graph, which is not the lambda's to unwind.
        for (; region is not null && region.Kind != ControlFlowRegionKind.Root && states.Count > 0; region = region.EnclosingRegion)
        {
            foreach (State left in states)
            {
                Forget(region, left);
            }

            if (region.Kind != ControlFlowRegionKind.Try || region.EnclosingRegion is not { } outer)
            {
                continue;
            }

            if (outer.Kind == ControlFlowRegionKind.TryAndFinally)
            {
                states = RunFinally(outer.NestedRegions[1], states);
            }
            else if (outer.Kind == ControlFlowRegionKind.TryAndCatch && Catch(outer, states, thrown))
            {
                return;
            }
        }

        if (_keepExits && kind is { } exit)
        {
            foreach (State leaving in states)
            {
                _exits.Add(new Exit(exit, site, leaving));
            }
        }
    }

    // Gives the states to the handlers. Returns whether nothing can pass them all.
    private bool Catch(ControlFlowRegion tryAndCatch, List<State> states, ITypeSymbol? thrown)
    {
        foreach (ControlFlowRegion handler in tryAndCatch.NestedRegions.Skip(1))
        {
            ITypeSymbol? caught = handler.ExceptionType;
            bool everything = caught is null or { SpecialType: SpecialType.System_Object } || caught is { Name: "Exception", ContainingNamespace: { Name: "System", ContainingNamespace.IsGlobalNamespace: true } };
            bool matches = everything || (thrown is not null && DerivesFrom(thrown, caught!));
            if (thrown is not null && !matches && !DerivesFrom(caught!, thrown))
            {
                continue;
            }

            foreach (State state in states)
            {
                State entering = state.Clone();
                entering.Collect();
                _run!.Add(handler.FirstBlockOrdinal, BlockName(handler.FirstBlockOrdinal), entering);
            }

            if (matches && handler.Kind == ControlFlowRegionKind.Catch)
            {
                return true;
            }
        }

        return false;
    }

    private static bool DerivesFrom(ITypeSymbol type, ITypeSymbol from)
    {
        for (ITypeSymbol? t = type; t is not null; t = t.BaseType)
        {
            if (SymbolEqualityComparer.Default.Equals(t, from))
            {
                return true;
            }
        }

        return false;
    }
}
