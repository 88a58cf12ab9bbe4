// IRCU035: a guard that leaves the method which opened its section, by a way that no contract tells of.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports guards that are returned or stored.</summary>
internal sealed class GuardStoredOrReturned : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.GuardStoredOrReturned);

    /// <inheritdoc/>
    public override void Escape(FlowPoint point, IOperation value, WayOut way, IReadOnlyList<Seen<int>> seen)
    {
        Body body = point.Body;
        bool away = way.Kind == WayOutKind.Returned || (way.Kind is WayOutKind.Stored or WayOutKind.Collected && !IsKeptInLocal(point.Operation));
        bool told = (body.Contracts.SelfWords & ContractWord.AcquiresReadLock) != 0
            || body.Contracts.Result.Any(static c => c.Word == ContractWord.AcquiresReadLock)
            || body.Method is null or { MethodKind: MethodKind.AnonymousFunction }
            || body.Map.Scope(body.Method.ContainingType) is not null;
        if (away && !told && body.Map.Scope(Names.Unwrap(value)?.Type) is not null && seen.Count > 0 && Verdict.All(point, seen, IsOpen))
        {
            Report(point.Operation, seen[0].State.FactsOf(seen[0].Value).OriginSite, null, Names.Of(value), way, body.Name);
        }
    }

    // What is kept in a local, or in a type that lives on the stack, stays here, and so do the guards.
    private static bool IsKeptInLocal(IOperation operation)
    {
        IOperation? place = operation switch
        {
            IAssignmentOperation assignment => assignment.Target,
            IInvocationOperation invocation => invocation.Instance,
            _ => null,
        };
        while (place is not null)
        {
            switch (Names.Unwrap(place))
            {
                case ILocalReferenceOperation:
                    return true;
                case IMemberReferenceOperation { Member.ContainingType.IsRefLikeType: true }:
                    return true;
                case IMemberReferenceOperation member:
                    place = member.Instance;
                    break;
                case IArrayElementReferenceOperation element:
                    place = element.ArrayReference;
                    break;
                default:
                    return false;
            }
        }

        return false;
    }

    private static bool IsOpen(Seen<int> seen) => seen.State.FactsOf(seen.Value).Holder == Holder.GuardOpen;
}
