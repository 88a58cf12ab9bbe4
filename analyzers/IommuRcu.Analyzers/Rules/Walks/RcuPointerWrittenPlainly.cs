// IRCU003: a protected field written with a plain store, in an object that others may reach.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports plain stores to protected fields.</summary>
internal sealed class RcuPointerWrittenPlainly : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.RcuPointerWrittenPlainly);

    /// <inheritdoc/>
    public override void WriteProtected(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<int>> owners)
    {
        if (contract.PlainAllowed || PlainAccess.IsConstruction(point) || point.Body.IsCallback || owners.All(static o => PlainAccess.IsFresh(o.State, o.Value)))
        {
            return;
        }

        Report(point.Operation, null, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Accessor, AccessorFor(contract, point.Body)), member.Name);
    }

    // Rcu's own is for its own domain; the contract may name another.
    private static string AccessorFor(Contract contract, Body body)
        => body.Map.Compilation.GetTypeByMetadataName("IommuRcu.Rcu") is { } rcu && contract.Domain is null
            && (contract.DomainType is null || SymbolEqualityComparer.Default.Equals(contract.DomainType, rcu))
                ? "global::IommuRcu.Rcu.Assign"
                : "global::System.Threading.Volatile.Write";
}
