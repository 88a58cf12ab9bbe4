// Tells the rules what is seen at a point, once it is known in which states the point is reached.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    private FlowPoint Point(IOperation operation) => new(_body, operation);

    // Whether something is known of a value in any state.
    private bool IsAnywhere(IOperation value, List<State> states, System.Func<Facts, bool> holds)
    {
        foreach (State state in states)
        {
            if (holds(state.FactsOf(ValueOf(value, state))))
            {
                return true;
            }
        }

        return false;
    }

    // Who tells is a method of its own where much is passed by silently: a closure is made at a method's start, whether it is needed or not.
    private void Tell(List<State> states, System.Action<FlowListener, List<State>> tell)
    {
        if (_observer is null)
        {
            return;
        }

        foreach (FlowListener listener in _observer)
        {
            tell(listener, states);
        }
    }

    private void Tell<T>(List<State> states, System.Func<State, T> see, System.Action<FlowListener, List<Seen<T>>> tell)
    {
        if (_observer is null || states.Count == 0)
        {
            return;
        }

        var seen = new List<Seen<T>>(states.Count);
        foreach (State state in states)
        {
            seen.Add(new Seen<T>(state, see(state)));
        }

        foreach (FlowListener listener in _observer)
        {
            tell(listener, seen);
        }
    }
}
