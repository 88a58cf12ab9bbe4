// IRCU070: a member that needs a writer lock, used without it.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using IommuRcu.Analyzers.Rules.Walks;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

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

        if (Verdict.Of(seen, s => !IsHeld(s, contract, point), out Seen<int> wrong) >= Certainty.Definite)
        {
            string name = contract.Lock ?? "its writer lock";
            string expression = AcquireProperties.ReceiverOf(wrong.Value, point.Body.Table) ?? name;
            Report(point.Operation, null, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Lock, contract.Lock is null ? null : expression), member.Name, name);
        }
    }

    private static bool IsHeld(Seen<int> seen, Contract contract, FlowPoint point)
    {
        IOperation? instance = (point.Operation as IInvocationOperation)?.Instance
            ?? ((point.Operation as IAssignmentOperation)?.Target as IMemberReferenceOperation)?.Instance;
        if (instance is not null && seen.State.TryGetTemporary(instance, out int owner) && PlainAccess.IsFresh(seen.State, owner))
        {
            return true;
        }

        return contract.Lock is null || seen.Value == ValueTable.Unknown ? seen.State.Locks.Count > 0 : Locks.IsHeld(seen.State, seen.Value);
    }
}
