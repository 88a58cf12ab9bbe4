// Pools that are shut down: they take nothing more, unless something may have opened them again.
using System.Collections.Generic;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private void NoteShutdown(CallSite call, State state)
    {
        if (IsDispose(call) && call.Instance is { } instance)
        {
            int pool = ValueOf(instance, state);
            if (IsSteady(pool) && state.FactsOf(pool) is { Holder: Holder.None } facts && Names.Unwrap(instance)?.Type is INamedTypeSymbol type && _body.Member.TakesRetired(type))
            {
                state.SetFacts(pool, facts with { IsShut = true, CloseSite = call.Operation });
            }

            return;
        }

        for (int i = 0; i < state.Values.Count; i++)
        {
            if (state.Values.ValueAt(i) is { IsShut: true } && MayOpen(call, state.Values.KeyAt(i), state))
            {
                state.SetFacts(state.Values.KeyAt(i), state.Values.ValueAt(i) with { IsShut = false });
                return;
            }
        }
    }

    // Whatever is called on it, or is given it, and does no more than retire by it, may begin anew.
    private bool MayOpen(CallSite call, int pool, State state)
    {
        if (call.Instance is { } instance && ValueOf(instance, state) == pool)
        {
            return ((call.Contracts.SelfWords | call.Contracts.ParameterWords) & GivenWords) == 0;
        }

        foreach (IArgumentOperation argument in call.Arguments)
        {
            if (ValueOf(argument.Value, state) == pool)
            {
                return true;
            }
        }

        return false;
    }

    // What holds the pool cannot be given another one out of sight.
    private bool IsSteady(int pool)
    {
        ValueInfo info = _table.Info(pool);
        return info.Kind == ValueKind.Site
            || (info.Kind == ValueKind.Initial && _table.SlotInfo(info.A).Symbol is ILocalSymbol or IParameterSymbol { RefKind: RefKind.None } or IFieldSymbol { IsReadOnly: true });
    }
}
