// What makes a contract mean nothing: on the wrong kind of thing, naming what is not there, or against another one.
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Contracts;

/// <summary>Judges contracts, from attributes and from files alike.</summary>
internal static class ContractValidity
{
    /// <summary>Finds what is wrong with a contract.</summary>
    /// <param name="symbol">The member or type that it stands on.</param>
    /// <param name="contract">The contract.</param>
    /// <param name="contracts">All contracts of the symbol.</param>
    /// <param name="parameter">The parameter that it speaks of; none for the member or its result.</param>
    /// <param name="isResult">Whether it speaks of the member's result.</param>
    /// <returns>What is wrong, or none.</returns>
    public static string? Problem(ISymbol symbol, Contract contract, MemberContracts contracts, IParameterSymbol? parameter, bool isResult)
        => (contract.Domain is { } domain && !Names(symbol, domain) ? "nothing is called '" + domain + "' here" : null)
            ?? (contract.Lock is { } name && !Names(symbol, name) ? "nothing is called '" + name + "' here" : null)
            ?? WhenProblem(symbol, contract)
            ?? TargetProblem(symbol, contract, parameter, isResult)
            ?? Contradiction(contract, contracts, parameter);

    private static bool Names(ISymbol symbol, string path)
    {
        string[] parts = path.Split('.');
        ITypeSymbol? type = Parameter(symbol, parts[0])?.Type;
        int next = type is null ? 0 : 1;
        type ??= symbol as INamedTypeSymbol ?? symbol.ContainingType;
        for (; next < parts.Length; next++)
        {
            if (parts[next] == "this" && next == 0)
            {
                continue;
            }

            if (type is not INamedTypeSymbol named || (Engine.FindMember(named, parts[next]) ?? (next == 0 ? Engine.FindPrimaryParameter(named, parts[0]) : null)) is not { } member)
            {
                return false;
            }

            type = member switch { IFieldSymbol field => field.Type, IPropertySymbol property => property.Type, IParameterSymbol primary => primary.Type, _ => null };
        }

        return true;
    }

    // A local function sees the parameters around it as well.
    private static IParameterSymbol? Parameter(ISymbol? symbol, string name) => symbol switch
    {
        IMethodSymbol method => method.Parameters.FirstOrDefault(p => p.Name == name) ?? Parameter(method.ContainingSymbol as IMethodSymbol, name),
        IPropertySymbol property => property.Parameters.FirstOrDefault(p => p.Name == name),
        INamedTypeSymbol { DelegateInvokeMethod: { } invoke } => Parameter(invoke, name),
        _ => null,
    };

    private static string? WhenProblem(ISymbol symbol, Contract contract)
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

        return Engine.ResultType(method).SpecialType == SpecialType.System_Boolean ? null : "When needs a bool result";
    }

    private static string? TargetProblem(ISymbol symbol, Contract contract, IParameterSymbol? parameter, bool isResult)
    {
        const ContractWord Values = ContractWord.RcuProtected | ContractWord.RcuBound | ContractWord.Unpublished;
        const ContractWord Types = ContractWord.ReadLockScope | ContractWord.MustDispose | ContractWord.TableGather;
        const ContractWord Methods = ContractWord.AcquiresReadLock | ContractWord.ReleasesReadLock | ContractWord.RefreshesReadLock | ContractWord.MayHoldReadLock
            | ContractWord.WaitsForGracePeriod | ContractWord.MayBlock | ContractWord.FlushesIotlb;
        const ContractWord Receivers = ContractWord.Publishes | ContractWord.Unlinks | ContractWord.Gathers | ContractWord.Retires | ContractWord.Frees;
        bool isMember = parameter is null && !isResult;
        switch (contract.Word)
        {
            case ContractWord.RunsSynchronously or ContractWord.RunsAfterGracePeriod when parameter is not null:
                return IsDelegate(parameter.Type) ? null : "'" + parameter.Name + "' is no delegate";
            case ContractWord.RunsSynchronously:
                return "it speaks of a delegate parameter";
            case var word when (Types & word) != 0 && symbol is not INamedTypeSymbol:
                return "it speaks of a type";
            case ContractWord.ReadLockScope or ContractWord.MustDispose when !CanDispose((INamedTypeSymbol)symbol):
                return "the type has no Dispose";
            case var word when (Methods & word) != 0 && isMember && symbol is not (IMethodSymbol or IPropertySymbol):
                return "it speaks of a method or property";
            case ContractWord.RequiresReadLock when symbol is INamedTypeSymbol { TypeKind: not TypeKind.Delegate }:
                return "it speaks of a method, property or delegate type";
            case ContractWord.AssertsReadLock when symbol is not IMethodSymbol && symbol is not IPropertySymbol { Type.SpecialType: SpecialType.System_Boolean }:
                return "a property that asserts is a bool";
            case var word when (Values & word) != 0 && isMember && symbol is IMethodSymbol:
                return "it speaks of a value: the result or a parameter";
            case var word when (Values & word) != 0 && isResult && symbol is IMethodSymbol { ReturnsVoid: true }:
                return "the method has no result";
            case var word when (Receivers & word) != 0 && isMember && symbol is IMethodSymbol { IsStatic: true, ReturnsVoid: true }:
                return "a static method has no receiver";
            case var word when (Receivers & word) != 0 && isMember && symbol is not IMethodSymbol:
                return "it speaks of a method's receiver, parameter or result";
            case ContractWord.RequiresWriterLock when contract.Lock is null:
                return "it names no lock";
            default:
                return null;
        }
    }

    private static bool IsDelegate(ITypeSymbol type)
        => type.TypeKind is TypeKind.Delegate or TypeKind.FunctionPointer || type.SpecialType == SpecialType.System_Delegate || type is ITypeParameterSymbol;

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

    private static string? Contradiction(Contract contract, MemberContracts contracts, IParameterSymbol? parameter)
    {
        if (parameter is not null)
        {
            bool against = contract.Word == ContractWord.Publishes
                && MemberContracts.Find(contracts.Parameter(parameter.Ordinal), ContractWord.Unlinks) is { } unlinks && unlinks.When == contract.When && unlinks.WhenParameter == contract.WhenParameter;
            return against ? "it cannot both publish and unlink" : null;
        }

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
}
