// IRCU032: a section that is closed twice, or was never opened.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports exits too many.</summary>
internal sealed class SectionClosedTwice : Rule
{
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
            string what = owned ? "its using closes as well" : wrong.State.LastClosed is not null || wrong.Value.GuardState == Holder.GuardClosed ? "is closed already" : "is not open";
            string name = (point.Operation as IInvocationOperation)?.TargetMethod.Name ?? Names.Of(point.Operation);
            Report(point.Operation, wrong.State.LastClosed, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.OnEveryPath, seen.All(s => IsTooMany(s, owned)) ? "true" : null), name, NameOf(wrong.Value.Domain, point.Body.Table), what);
        }
    }

    private static bool IsTooMany(Seen<Closing> seen, bool owned)
        => seen.Value.Guard != 0 || owned
            ? owned || seen.Value.GuardState == Holder.GuardClosed
            : seen.Value.Section is null && !seen.State.CallerUnknown;
}
