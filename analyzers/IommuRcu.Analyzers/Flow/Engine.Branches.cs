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
                state.ClearTemporaries();
                GoOn(branch, 0, state);
                return;
            default:
                return;
        }
    }

    // Through the finally regions that the branch has still to pass, then to where it leads.
    private void GoOn(ControlFlowBranch branch, int passed, State state)
    {
        while (passed < branch.FinallyRegions.Length && _trees?.Shortcuts.IsPlain(branch.FinallyRegions[passed]) == true)
        {
            MayThrowIn(branch.FinallyRegions[passed], state);
            passed++;
        }

        if (passed < branch.FinallyRegions.Length && Can(Abilities.Finally))
        {
            Enter(branch.FinallyRegions[passed], new Way(branch, passed + 1, null, null, null), null, state);
            return;
        }

        foreach (ControlFlowRegion left in branch.LeavingRegions)
        {
            Forget(left, state);
        }

        if (branch.Destination is not { } destination)
        {
            return;
        }

        if (destination.Kind == BasicBlockKind.Exit)
        {
            if (_keepExits)
            {
                _exits.Add(new Exit(ExitKind.Return, branch.Semantics == ControlFlowBranchSemantics.Return ? branch.Source.BranchValue : null, state));
            }
        }
        else
        {
            Arrive(destination, state);
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

    // Adds a state to those that pass a finally on one way. They are taken through it together, and only when there is something new.
    private void Enter(ControlFlowRegion region, Way way, IOperation? site, State state)
    {
        int first = region.FirstBlockOrdinal;
        state.Collect();
        if (_trees is null)
        {
            if (!_finallyEntries.TryGetValue(region, out StateSet? all))
            {
                _finallyEntries.Add(region, all = new StateSet(BlockName(first)));
            }

            if (!_showsFinally)
            {
                all.Add(state.Clone());
            }
        }

        _run!.Owner(first)?.Enter(region, way, site, PassageName(first), state);
    }

    // Takes all states on one way through its finally, and on from there.
    private void Pass(Passage passage)
    {
        var run = new Run(passage.Region, _run, _body.Graph.Blocks.Length);
        int first = passage.Region.FirstBlockOrdinal;
        foreach (State state in passage.Entries.States)
        {
            run.Add(first, BlockName(first), state.Clone());
        }

        Complete(run);

        // Paths that met in the finally part again only where something that matters tells them apart.
        var ends = new StateSet(EndName(passage.Region.LastBlockOrdinal));
        foreach (State end in run.Ends)
        {
            ends.Add(end);
        }

        foreach (State end in ends.States)
        {
            if (passage.Way.Branch is { } branch)
            {
                GoOn(branch, passage.Way.Passed, end);
            }
            else
            {
                Throw(passage.Way.Outer, end, passage.Way.Kind, passage.Site, passage.Way.Thrown);
            }
        }
    }

    // Shows the states before an operation that may throw to whatever handles it.
    private void MayThrow(IOperation operation, List<State> states, bool leavesFunction)
    {
        _mayThrow |= leavesFunction;
        if (!Can(Abilities.Exceptions))
        {
            return;
        }

        bool handled = IsHandled(_block!.EnclosingRegion);
        if (!handled && !leavesFunction)
        {
            return;
        }

        IReadOnlyList<FlowListener>? observer = _observer;
        _observer = null;
        foreach (State state in states)
        {
            ThrowCopy(state, _block.EnclosingRegion, handled, leavesFunction ? ExitKind.CallThrows : null, operation);
        }

        _observer = observer;
    }

    // The same for a call that is passed over.
    private void MayThrow(IOperation site, State state, ControlFlowRegion from)
    {
        _mayThrow = true;
        ThrowCopy(state, from, IsHandled(from), ExitKind.CallThrows, site);
    }

    // What nobody handles is of interest only where it leaves something open.
    private void ThrowCopy(State state, ControlFlowRegion from, bool handled, ExitKind? kind, IOperation site)
    {
        if (handled || HasDebts(state))
        {
            State thrown = state.Clone();
            thrown.ClearTemporaries();
            Throw(from, thrown, kind, site, null);
        }
    }

    private void MayThrowIn(ControlFlowRegion plainFinally, State state)
    {
        if (_trees!.Shortcuts.SiteIn(plainFinally) is { } site)
        {
            MayThrow(site, state, plainFinally);
        }
    }

    internal static bool IsHandled(ControlFlowRegion? from)
    {
        for (ControlFlowRegion? region = from; region is not null && region.Kind != ControlFlowRegionKind.Root; region = region.EnclosingRegion)
        {
            if (region.Kind is ControlFlowRegionKind.Try)
            {
                return true;
            }
        }

        return false;
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
        // The root of a lambda's graph stands inside a region of the outer graph, which is not the lambda's to unwind.
        for (; region is not null && region.Kind != ControlFlowRegionKind.Root; region = region.EnclosingRegion)
        {
            Forget(region, state);
            if (region.Kind != ControlFlowRegionKind.Try || region.EnclosingRegion is not { } outer)
            {
                continue;
            }

            if (outer.Kind == ControlFlowRegionKind.TryAndFinally && Can(Abilities.Finally) && _trees?.Shortcuts.IsPlain(outer.NestedRegions[1]) != true)
            {
                Enter(outer.NestedRegions[1], new Way(null, 0, outer, kind, thrown), site, state);
                return;
            }

            if (outer.Kind == ControlFlowRegionKind.TryAndCatch && Catch(outer, state, thrown))
            {
                return;
            }
        }

        _mayThrow = true;
        if (_keepExits && kind is { } exit)
        {
            _exits.Add(new Exit(exit, site, state));
        }
    }

    // Gives the state to the handlers. Returns whether nothing can pass them all.
    private bool Catch(ControlFlowRegion tryAndCatch, State state, ITypeSymbol? thrown)
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

            Arrive(_body.Graph.Blocks[handler.FirstBlockOrdinal], state.Clone());

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
