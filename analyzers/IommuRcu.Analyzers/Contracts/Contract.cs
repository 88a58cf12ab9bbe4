// One contract, and all contracts of one member, parameter by parameter.
using System.Collections.Generic;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Contracts;

/// <summary>One word with its arguments, as an attribute or a contract line said it.</summary>
internal sealed record Contract(ContractWord Word)
{
    /// <summary>Gets the bool result, or value of <see cref="WhenParameter"/>, for which the contract holds; none if it always does.</summary>
    public bool? When { get; init; }

    /// <summary>Gets the parameter that <see cref="When"/> speaks of, instead of the result.</summary>
    public string? WhenParameter { get; init; }

    /// <summary>Gets whether a section was open already where <see cref="When"/> does not hold.</summary>
    public bool ElseHeld { get; init; }

    /// <summary>Gets whether the section may sleep.</summary>
    public bool Sleepable { get; init; }

    /// <summary>Gets whether a default value of the guard type is legal.</summary>
    public bool DefaultIsInert { get; init; }

    /// <summary>Gets the member or parameter that names the domain.</summary>
    public string? Domain { get; init; }

    /// <summary>Gets the type that names the domain.</summary>
    public ITypeSymbol? DomainType { get; init; }

    /// <summary>Gets the writer lock that the contract names (<c>Lock</c> or <c>Or</c>).</summary>
    public string? Lock { get; init; }

    /// <summary>Gets whether the contract comes from a file that does not ask for plain accesses to be reported.</summary>
    public bool PlainAllowed { get; init; }

    /// <summary>Gets the reason of an RcuUnsafe.</summary>
    public string? Reason { get; init; }

    /// <summary>Gets where the contract was written, if in this compilation.</summary>
    public Location? Location { get; init; }
}

/// <summary>The contracts of one symbol.</summary>
internal sealed class MemberContracts
{
    /// <summary>The contracts of a symbol that has none.</summary>
    public static readonly MemberContracts None = new(ImmutableArray<Contract>.Empty, ImmutableArray<Contract>.Empty, ImmutableArray<ImmutableArray<Contract>>.Empty);

    private readonly ImmutableArray<ImmutableArray<Contract>> _parameters;

    public MemberContracts(ImmutableArray<Contract> self, ImmutableArray<Contract> result, ImmutableArray<ImmutableArray<Contract>> parameters)
    {
        Self = self;
        Result = result;
        _parameters = parameters;
        foreach (Contract contract in self)
        {
            SelfWords |= contract.Word;
        }

        foreach (Contract contract in result)
        {
            ResultWords |= contract.Word;
        }

        foreach (ImmutableArray<Contract> parameter in parameters)
        {
            foreach (Contract contract in parameter)
            {
                ParameterWords |= contract.Word;
            }
        }
    }

    /// <summary>Gets the contracts of the member itself.</summary>
    public ImmutableArray<Contract> Self { get; }

    /// <summary>Gets the contracts of its result.</summary>
    public ImmutableArray<Contract> Result { get; }

    /// <summary>Gets the words of the member itself.</summary>
    public ContractWord SelfWords { get; }

    /// <summary>Gets the words of its result.</summary>
    public ContractWord ResultWords { get; }

    /// <summary>Gets the words of all its parameters together.</summary>
    public ContractWord ParameterWords { get; }

    /// <summary>Gets whether there is no contract at all.</summary>
    public bool IsEmpty => (SelfWords | ResultWords | ParameterWords) == ContractWord.None;

    /// <summary>Gets the contracts of a parameter.</summary>
    /// <param name="ordinal">The parameter's position.</param>
    /// <returns>Its contracts, possibly none.</returns>
    public ImmutableArray<Contract> Parameter(int ordinal)
        => ordinal >= 0 && ordinal < _parameters.Length ? _parameters[ordinal] : ImmutableArray<Contract>.Empty;

    /// <summary>Finds a word on the member itself.</summary>
    /// <param name="word">The word.</param>
    /// <returns>The contract, or none.</returns>
    public Contract? Find(ContractWord word) => Find(Self, word);

    /// <summary>Finds a word in a list.</summary>
    /// <param name="contracts">The list.</param>
    /// <param name="word">The word.</param>
    /// <returns>The contract, or none.</returns>
    public static Contract? Find(ImmutableArray<Contract> contracts, ContractWord word)
    {
        foreach (Contract contract in contracts)
        {
            if (contract.Word == word)
            {
                return contract;
            }
        }

        return null;
    }

    /// <summary>Adds the contracts of a base or interface member, where this one does not say the word itself.</summary>
    /// <param name="inherited">The base member's contracts.</param>
    /// <returns>Both together.</returns>
    public MemberContracts With(MemberContracts inherited)
    {
        if (inherited.IsEmpty)
        {
            return this;
        }

        if (IsEmpty)
        {
            return inherited;
        }

        var parameters = ImmutableArray.CreateBuilder<ImmutableArray<Contract>>();
        for (int i = 0; i < System.Math.Max(_parameters.Length, inherited._parameters.Length); i++)
        {
            parameters.Add(Merge(Parameter(i), inherited.Parameter(i)));
        }

        return new MemberContracts(Merge(Self, inherited.Self), Merge(Result, inherited.Result), parameters.ToImmutable());
    }

    private static ImmutableArray<Contract> Merge(ImmutableArray<Contract> own, ImmutableArray<Contract> inherited)
    {
        if (inherited.IsEmpty)
        {
            return own;
        }

        var all = new List<Contract>(own);
        foreach (Contract contract in inherited)
        {
            if (Find(own, contract.Word) is null)
            {
                all.Add(contract);
            }
        }

        return all.ToImmutableArray();
    }
}
