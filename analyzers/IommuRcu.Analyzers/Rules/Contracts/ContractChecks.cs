// IRCU090, 091, 092: contracts that mean nothing, that differ from their base's, and exemptions without a reason.
using System;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using static IommuRcu.Analyzers.Descriptors;

namespace IommuRcu.Analyzers.Rules.Contracts;

/// <summary>Checks the contracts of declarations; it needs no flow.</summary>
internal static class ContractChecks
{
    /// <summary>Gets what the checks may report.</summary>
    public static ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(InvalidContract, OverrideChangesContract, UnsafeWithoutReason);

    /// <summary>Checks one symbol.</summary>
    /// <param name="symbol">A type or member declared in source.</param>
    /// <param name="map">The contracts.</param>
    /// <param name="report">Receives the diagnostics.</param>
    public static void Check(ISymbol symbol, ContractMap map, Action<Diagnostic> report)
    {
        if (symbol is IMethodSymbol { AssociatedSymbol: not null } || !map.MayHaveContracts(symbol) || map.Of(symbol) is not { IsEmpty: false } contracts)
        {
            return;
        }

        foreach (Contract contract in contracts.Self)
        {
            Check(symbol, contract, contracts, null, false, report);
        }

        foreach (Contract contract in contracts.Result)
        {
            Check(symbol, contract, contracts, null, true, report);
        }

        ImmutableArray<IParameterSymbol> parameters = symbol switch { IMethodSymbol method => method.Parameters, IPropertySymbol property => property.Parameters, _ => ImmutableArray<IParameterSymbol>.Empty };
        foreach (IParameterSymbol parameter in parameters)
        {
            foreach (Contract contract in contracts.Parameter(parameter.Ordinal))
            {
                Check(symbol, contract, contracts, parameter, false, report);
            }
        }

        CheckBase(symbol, contracts, map, report);
    }

    private static void Check(ISymbol symbol, Contract contract, MemberContracts contracts, IParameterSymbol? parameter, bool isResult, Action<Diagnostic> report)
    {
        if (contract.Location is not { SourceTree: { } tree } location || !symbol.Locations.Any(l => l.SourceTree == tree))
        {
            return;
        }

        if (contract.Word == ContractWord.RcuUnsafe)
        {
            if (string.IsNullOrWhiteSpace(contract.Reason))
            {
                report(Diagnostic.Create(UnsafeWithoutReason, location, symbol.Name));
            }

            return;
        }

        if (ContractValidity.Problem(symbol, contract, contracts, parameter, isResult) is { } problem)
        {
            report(Diagnostic.Create(InvalidContract, location, contract.Word, symbol.Name, problem));
        }
    }

    // Callers see the base member: what it does not demand they do not provide.
    private static void CheckBase(ISymbol symbol, MemberContracts contracts, ContractMap map, Action<Diagnostic> report)
    {
        const ContractWord Demands = ContractWord.RequiresReadLock | ContractWord.RequiresWriterLock | ContractWord.MayBlock | ContractWord.WaitsForGracePeriod;
        if ((contracts.SelfWords & Demands) == 0)
        {
            return;
        }

        foreach (ISymbol inherited in BaseMembers.Of(symbol))
        {
            // A member of a library without contracts, such as IDisposable, can say nothing of them.
            if (!map.CanHaveContracts(inherited.ContainingAssembly))
            {
                continue;
            }

            MemberContracts demanded = map.Of(inherited);
            foreach (Contract contract in contracts.Self)
            {
                bool covered = (demanded.SelfWords & contract.Word) != 0 || (contract.Word == ContractWord.MayBlock && (demanded.SelfWords & ContractWord.WaitsForGracePeriod) != 0);
                if ((contract.Word & Demands) != 0 && !covered && contract.Location is { SourceTree: not null } location)
                {
                    string what = contract.Word is ContractWord.MayBlock or ContractWord.WaitsForGracePeriod ? "may wait (" + contract.Word + ")" : "demands " + contract.Word;
                    ImmutableDictionary<string, string?> properties = ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Attribute, contract.Word.ToString());
                    report(Diagnostic.Create(OverrideChangesContract, location, inherited.Locations.Where(static l => l.IsInSource), properties, symbol.Name, what, Flow.Names.Of(inherited)));
                }
            }
        }
    }
}
