// IRCU070: a member that needs a writer lock, used without it.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using IommuRcu.Analyzers.Rules.Walks;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Writers;

/// <summary>Reports updates without the writer lock.</summary>
internal sealed class UpdateWithoutWriterLock : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.UpdateWithoutWriterLock);

    /// <inheritdoc/>
    public override void NeedLock(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<int>> seen)
    {
        if (PlainAccess.IsConstruction(point) || point.Body.Member.IsPrivateHelper || point.Body.Role == BodyRole.Helper)
        {
            return;
        }

        if (Verdict.Of(point, seen, s => !Locks.IsAnswered(s.State, contract.Lock is null ? ValueTable.Unknown : s.Value), out Seen<int> wrong) >= Certainty.Definite)
        {
            string name = contract.Lock ?? "its writer lock";
            string? expression = contract.Lock is null ? null : AcquireProperties.ReceiverOf(wrong.Value, point.Body.Table);
            Report(point.Operation, null, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Lock, expression), member.Name, name);
        }
    }
}
