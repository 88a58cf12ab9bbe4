// IRCU022: a call that may block inside a section.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Blocking;

/// <summary>Reports blocking calls inside thread-bound sections.</summary>
internal sealed class BlockingCallInSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.BlockingCallInSection);

    /// <inheritdoc/>
    public override void Block(FlowPoint point, string name, IMethodSymbol? helper, IReadOnlyList<Seen<Domain>> seen)
    {
        if (Verdict.Of(point, seen, static s => Held(s) is not null, out Seen<Domain> wrong) < Certainty.Definite)
        {
            return;
        }

        if (BlockingMembers.IsLock(name) && Findings.AllowsLocks(point.Operation.Syntax.SyntaxTree))
        {
            return;
        }

        Section open = Held(wrong)!;
        Report(point.Operation, open.Opener, null, helper is null ? name : helper.Name + " -> " + name, NameOf(open.Domain, point.Body.Table));
    }

    private static Section? Held(Seen<Domain> seen)
        => seen.State.Sections.FirstOrDefault(s => !s.Sleepable && Sections.Protects(s, seen.Value, seen.State) == true);
}
