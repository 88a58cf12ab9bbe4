// IRCU090, 091, 092: contracts that mean nothing, that differ from their base's, and exemptions without a reason.
using System;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
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
        if (symbol is IMethodSymbol { AssociatedSymbol: not null } || map.Of(symbol) is not { IsEmpty: false } contracts)
        {
            return;
        }

        foreach (Contract contract in contracts.Self)
        {
            Check(symbol, contract, contracts, null, report);
        }

        foreach (Contract contract in contracts.Result)
        {
            Check(symbol, contract, contracts, null, report);
        }

        ImmutableArray<IParameterSymbol> parameters = symbol switch { IMethodSymbol method => method.Parameters, IPropertySymbol property => property.Parameters, _ => ImmutableArray<IParameterSymbol>.Empty };
        foreach (IParameterSymbol parameter in parameters)
        {
            foreach (Contract contract in contracts.Parameter(parameter.Ordinal))
            {
                Check(symbol, contract, contracts, parameter, report);
            }
        }

        CheckBase(symbol, contracts, map, report);
    }

    private static void Check(ISymbol symbol, Contract contract, MemberContracts contracts, IParameterSymbol? parameter, Action<Diagnostic> report)
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

        if (Problem(symbol, contract, contracts, parameter) is { } problem)
        {
            report(Diagnostic.Create(InvalidContract, location, contract.Word, symbol.Name, problem));
        }
    }

    private static string? Problem(ISymbol symbol, Contract contract, MemberContracts contracts, IParameterSymbol? parameter)
    {
        if (contract.Domain is { } domain && !Names(symbol, domain))
        {
            return "nothing is called '" + domain + "' here";
        }

        if (contract.Lock is { } name && !Names(symbol, name))
        {
            return "nothing is called '" + name + "' here";
        }

        return WhenProblem(symbol, contract, parameter) ?? TargetProblem(symbol, contract, parameter) ?? (parameter is null ? Contradiction(contract, contracts) : null);
    }

    private static bool Names(ISymbol symbol, string path)
    {
        string first = path.Split('.')[0];
        return first == "this"
            || (symbol is IMethodSymbol method && method.Parameters.Any(p => p.Name == first))
            || (symbol is IPropertySymbol property && property.Parameters.Any(p => p.Name == first))
            || ((symbol as INamedTypeSymbol ?? symbol.ContainingType) is { } type && (Engine.FindMember(type, first) ?? Engine.FindPrimaryParameter(type, first)) is not null);
    }

    private static string? WhenProblem(ISymbol symbol, Contract contract, IParameterSymbol? parameter)
    {
        if (contract.When is null)
        {
            return contract.ElseHeld ? "ElseHeld says nothing without When" : null;
        }

        if (symbol is not IMethodSymbol method)
        {
            return "When speaks of a method's result";
        }

        if (contract.WhenParameter is { } name)
        {
            return method.Parameters.FirstOrDefault(p => p.Name == name) is not { } decides ? "no parameter is called '" + name + "'"
                : decides.Type.SpecialType != SpecialType.System_Boolean && decides.RefKind != RefKind.Out ? "'" + name + "' is neither a bool nor an out parameter"
                : null;
        }

        _ = parameter;
        ITypeSymbol result = method.ReturnType;
        bool decided = result.SpecialType == SpecialType.System_Boolean
            || (result is INamedTypeSymbol { Name: "Task" or "ValueTask", TypeArguments: { Length: 1 } arguments } && arguments[0].SpecialType == SpecialType.System_Boolean);
        return decided ? null : "When needs a bool result";
    }

    private static string? TargetProblem(ISymbol symbol, Contract contract, IParameterSymbol? parameter)
    {
        bool isDelegate(ITypeSymbol type) => type.TypeKind is TypeKind.Delegate or TypeKind.FunctionPointer || type.SpecialType == SpecialType.System_Delegate || type is ITypeParameterSymbol;
        switch (contract.Word)
        {
            case ContractWord.RunsSynchronously or ContractWord.RunsAfterGracePeriod when parameter is not null && !isDelegate(parameter.Type):
                return "'" + parameter.Name + "' is no delegate";
            case ContractWord.ReadLockScope or ContractWord.MustDispose when symbol is INamedTypeSymbol type && !CanDispose(type):
                return "the type has no Dispose";
            case ContractWord.Publishes or ContractWord.Unlinks or ContractWord.Gathers or ContractWord.Retires or ContractWord.Frees
                when parameter is null && symbol is IMethodSymbol { IsStatic: true, ReturnsVoid: true }:
                return "a static method has no receiver";
            case ContractWord.RequiresWriterLock when contract.Lock is null:
                return "it names no lock";
            case ContractWord.FlushesIotlb when symbol is IMethodSymbol { IsStatic: true } && parameter is null:
                return null;
            default:
                return null;
        }
    }

    private static bool CanDispose(INamedTypeSymbol type)
    {
        for (INamedTypeSymbol? t = type; t is not null; t = t.BaseType)
        {
            if (t.GetMembers().Any(static m => m is IMethodSymbol { Name: "Dispose" or "DisposeAsync", Parameters.IsEmpty: true }))
            {
                return true;
            }
        }

        return type.AllInterfaces.Any(static i => i.Name is "IDisposable" or "IAsyncDisposable") || type.TypeKind == TypeKind.Interface;
    }

    private static string? Contradiction(Contract contract, MemberContracts contracts)
    {
        (ContractWord One, ContractWord Other, string Why)[] pairs =
        {
            (ContractWord.MayHoldReadLock, ContractWord.RequiresReadLock, "it cannot both need a section and do without one"),
            (ContractWord.WaitsForGracePeriod, ContractWord.RequiresReadLock, "inside the section that it needs it would wait for itself"),
            (ContractWord.WaitsForGracePeriod, ContractWord.MayHoldReadLock, "inside a section that its caller holds it would wait for itself"),
            (ContractWord.AssertsReadLock, ContractWord.AcquiresReadLock, "it cannot both check for a section and open one"),
            (ContractWord.MayHoldReadLock, ContractWord.ReleasesReadLock, "it cannot close a section that may not be open"),
        };
        foreach ((ContractWord one, ContractWord other, string why) in pairs)
        {
            if (contract.Word == one && contracts.Find(other) is { } second && SameDomain(contract, second))
            {
                return why;
            }
        }

        return null;
    }

    private static bool SameDomain(Contract one, Contract other)
        => one.Domain == other.Domain && SymbolEqualityComparer.Default.Equals(one.DomainType, other.DomainType);

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
