// A lambda or local function of a member under analysis, and the states that it was seen to start from.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A nested function.</summary>
internal sealed class NestedFunction
{
    private readonly FunctionGraph _function;
    private StateSet? _entries;

    public NestedFunction(FunctionGraph function) => _function = function;

    public IMethodSymbol Symbol => _function.Symbol;

    /// <summary>Gets how the function comes to run.</summary>
    public BodyRole Role => _function.Role;

    public int Number => _function.Number;

    public ControlFlowGraph Graph => _function.Graph;

    /// <summary>Gets or sets whether a call of it is being followed: recursion is not.</summary>
    public bool IsRunning { get; set; }

    /// <summary>Gets the states that it was seen to start from.</summary>
    public IReadOnlyList<State> Entries => _entries?.States ?? (IReadOnlyList<State>)System.Array.Empty<State>();

    /// <summary>Notes a state that it starts from.</summary>
    /// <param name="state">The state; the function owns it from now on.</param>
    public void Enter(State state)
    {
        state.ClearTemporaries();
        (_entries ??= new StateSet((Number * 4000) + 3999)).Add(state);
    }
}
