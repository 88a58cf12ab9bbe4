// Passes over what a proof need not follow: nothing there changes a state, but calls may throw.
using System.Collections.Generic;
using IommuRcu.Analyzers.Flow.Proof;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private void PassOver(Tree plain, List<State> states, ref bool hasThrown)
    {
        if (!plain.MayThrow)
        {
            return;
        }

        // Any call may put something else where a page was that is on its way out.
        if (states.Exists(HasReclaimedMember))
        {
            Execute(plain.Root, states);
            states.ForEach(static s => s.ClearTemporaries());
        }
        else if (!hasThrown)
        {
            MayThrow(plain.Root, states, leavesFunction: true);
            hasThrown = true;
        }
    }

    // Adds a state to the block where it gets to, past all that is not followed.
    private void Arrive(BasicBlock block, State state)
    {
        state.Collect();
        // Where a handler may catch what is thrown on the way, the block waits its turn: handlers that lead to handlers would be gone through again and again.
        if (_trees?.Shortcuts.From(block) is { } shortcut && (shortcut.Escapes.Count == 0 || !(shortcut.IsHandled || HasReclaimedMember(state))))
        {
            foreach (Escape escape in shortcut.Escapes)
            {
                MayThrow(escape.Site, state, escape.From);
            }

            for (ControlFlowRegion? region = block.EnclosingRegion; region is not null && !Contains(region, shortcut.To); region = region.EnclosingRegion)
            {
                Forget(region, state);
            }

            block = shortcut.To;
        }

        if (block.Kind != BasicBlockKind.Exit)
        {
            _run!.Add(block.Ordinal, BlockName(block.Ordinal), state);
        }
        else if (_keepExits)
        {
            _exits.Add(new Exit(ExitKind.Return, null, state));
        }
    }

    private static bool Contains(ControlFlowRegion region, BasicBlock block) => block.Ordinal >= region.FirstBlockOrdinal && block.Ordinal <= region.LastBlockOrdinal;

    private bool HasReclaimedMember(State state)
    {
        for (int i = 0; i < state.Values.Count; i++)
        {
            if (IsOnItsWayOut(state.Values.ValueAt(i).Reclaim)
                && ((_table.Info(state.Values.KeyAt(i)) is { Kind: ValueKind.Initial, A: var place } && !_table.SlotInfo(place).IsLocal) || IsHeldByMember(state.Values.KeyAt(i), state)))
            {
                return true;
            }
        }

        return false;
    }

    private bool IsHeldByMember(int value, State state)
    {
        for (int i = 0; i < state.Variables.Count; i++)
        {
            if (state.Variables.ValueAt(i) == value && _table.SlotInfo(state.Variables.KeyAt(i)).Symbol is IFieldSymbol or IPropertySymbol)
            {
                return true;
            }
        }

        return false;
    }
}
