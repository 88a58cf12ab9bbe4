// IRCU032: a section that is closed twice, or was never opened.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports exits too many.</summary>
internal sealed class SectionClosedTwice : Rule
{
    private const string NotOpen = "is not open";

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.SectionClosedTwice);

    /// <inheritdoc/>
    public override void Close(FlowPoint point, IReadOnlyList<Seen<Closing>> seen)
    {
        if (point.Operation.IsImplicit)
        {
            return;
        }

        IOperation? guard = (point.Operation as IInvocationOperation)?.Instance;
        bool owned = seen[0].Value.Guard != 0 ? UsingLocal.Is(guard) : seen[0].Value.Section is { Guard: not null, Opener: { } opener } && UsingLocal.Holds(opener);
        if (Verdict.Of(point, seen, s => IsTooMany(s, owned), out Seen<Closing> wrong) >= Certainty.Definite)
        {
            string what = owned ? "its using closes as well" : wrong.State.LastClosed is not null || wrong.Value.GuardState == Holder.GuardClosed ? "is closed already" : NotOpen;
            string name = Names.OfCall(point.Operation);
            Report(point.Operation, wrong.State.LastClosed, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.OnEveryPath, seen.All(s => IsTooMany(s, owned)) ? "true" : null), name, NameOf(wrong.Value.Domain, point.Body.Table), what, what == NotOpen ? "remove it, or say in a contract that the caller has it open" : "remove it");
        }
    }

    /// <inheritdoc/>
    public override void Leave(Body body, IReadOnlyList<Exit> exits)
    {
        // A body that runs in its caller's section may leave it for a while. What it does not take again its caller closes a second time.
        if ((body.Contracts.SelfWords & (ContractWord.RequiresReadLock | ContractWord.RefreshesReadLock)) == 0 || (body.Contracts.SelfWords & (ContractWord.ReleasesReadLock | ContractWord.AcquiresReadLock)) != 0)
        {
            return;
        }

        foreach (Exit exit in exits)
        {
            if (exit.Kind != ExitKind.CallThrows && exit.State is { Left.Count: > 0, LastClosed: { } closing })
            {
                string name = Names.OfCall(closing);
                Report(closing, exit.Site, null, name, NameOf(exit.State.Left[0], body.Table), "its caller closes as well", "take it again on every path, or say in the contract that it is left");
            }
        }
    }

    private static bool IsTooMany(Seen<Closing> seen, bool owned)
        => seen.Value.Guard != 0 || owned
            ? owned || seen.Value.GuardState == Holder.GuardClosed
            : seen.Value.Section is null && !seen.State.CallerUnknown;
}
