// One function under analysis: a member's body, a local function or a lambda, with what its contracts say of its start.
using System.Collections.Generic;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>How a function comes to run.</summary>
internal enum BodyRole : byte
{
    /// <summary>Called from anywhere: starts outside any section, unless its contract says otherwise.</summary>
    Ordinary,

    /// <summary>All its callers are in sight and answer for its needs.</summary>
    Helper,

    /// <summary>Runs before the call that takes it returns, in the caller's state.</summary>
    Synchronous,

    /// <summary>Runs after a grace period.</summary>
    Callback,
}

/// <summary>What the functions of one type share while they are analysed.</summary>
internal sealed class Body
{
    public Body(MemberAnalysis member, ISymbol owner, IMethodSymbol? method, ControlFlowGraph graph, BodyRole role, int number)
    {
        Member = member;
        Owner = owner;
        Method = method;
        Graph = graph;
        Role = role;
        Number = number;
        Contracts = method is null ? MemberContracts.None : member.ContractsOf(method);
    }

    /// <summary>Gets the analysis of the member that the function belongs to.</summary>
    public MemberAnalysis Member { get; }

    /// <summary>Gets the member or nested function.</summary>
    public ISymbol Owner { get; }

    /// <summary>Gets the function; none for an initializer.</summary>
    public IMethodSymbol? Method { get; }

    /// <summary>Gets the function's own graph.</summary>
    public ControlFlowGraph Graph { get; }

    /// <summary>Gets how the function comes to run.</summary>
    public BodyRole Role { get; }

    /// <summary>Gets the function's number in its member; keeps the names of its blocks apart from the others'.</summary>
    public int Number { get; }

    /// <summary>Gets the function's contracts.</summary>
    public MemberContracts Contracts { get; }

    public ContractMap Map => Member.Map;

    public ValueTable Table => Member.Table;

    /// <summary>Gets whether the function is, or stands in, a reclaim callback.</summary>
    public bool IsCallback => Role == BodyRole.Callback || (Contracts.SelfWords & ContractWord.RunsAfterGracePeriod) != 0;

    /// <summary>Gets the name for messages.</summary>
    public string Name => Names.Of(Owner);
}
