// IRCU001, 006, 007, 008: a walk with no section open, one of another domain, or on some paths only.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;
using static IommuRcu.Analyzers.Descriptors;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports walks that no section protects.</summary>
internal sealed class WalkOutsideReadSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } =
        ImmutableArray.Create(Analyzers.Descriptors.WalkOutsideReadSection, ContractNotPassedOn, WrongRcuDomain, SectionOpenOnSomePathsOnly);

    /// <inheritdoc/>
    public override void Need(FlowPoint point, IReadOnlyList<Seen<Need>> seen)
    {
        List<Answer> answers = seen.Select(static s => Sections.Answer(s.State, s.Value)).ToList();
        Need need = seen[0].Value;
        if (need.Helper is { } helper && !SymbolEqualityComparer.Default.Equals(helper, point.Body.Owner) && answers.Any(static a => a is Answer.Open or Answer.AskCaller))
        {
            Findings.HelperCalledInside(helper);
        }

        if (point.Body.Role == BodyRole.Helper && need.Helper is null)
        {
            Findings.HelperNeed(point.Body.Owner, outside => Tell(ContractNotPassedOn, point, seen[0], point.Body.Method?.Name ?? point.Body.Name, outside));
        }

        if (answers.All(static a => a is Answer.Open or Answer.AskCaller))
        {
            return;
        }

        DiagnosticDescriptor descriptor = answers.Any(static a => a is Answer.Open or Answer.AskCaller) ? SectionOpenOnSomePathsOnly
            : answers.Any(static a => a == Answer.OtherDomain) ? WrongRcuDomain
            : Analyzers.Descriptors.WalkOutsideReadSection;
        Seen<Need> wrong = seen[answers.FindIndex(a => a == (ReferenceEquals(descriptor, WrongRcuDomain) ? Answer.OtherDomain : a) && a is Answer.Closed or Answer.OtherDomain)];
        void Do() => Tell(descriptor, point, wrong, point.Body.Name, new[] { wrong.State.LastClosed });
        if (need.Helper is { } called && !ReferenceEquals(descriptor, SectionOpenOnSomePathsOnly))
        {
            Findings.HelperCalledOutside(called, point.Operation, Do);
        }
        else
        {
            Do();
        }
    }

    /// <inheritdoc/>
    public override void ReadProtected(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<Need>> seen)
    {
        if (IsReadThrough(point.Operation) && !(contract.Lock is null && !Verdict.All(point, seen, static s => s.State.Locks.Count == 0)) && !IsOwnConstructor(point) && !seen.All(static s => PlainAccess.IsFresh(s.State, s.Value.Owner)))
        {
            Need(point, seen);
        }
    }

    // Only a read whose value is read through stands on the memory; a null test does not.
    private static bool IsReadThrough(IOperation read)
    {
        IOperation? parent = read.Parent;
        IOperation child = read;
        while (parent is IConversionOperation { OperatorMethod: null } or IParenthesizedOperation)
        {
            child = parent;
            parent = parent.Parent;
        }

        return parent switch
        {
            IMemberReferenceOperation member => ReferenceEquals(member.Instance, child),
            IInvocationOperation call => ReferenceEquals(call.Instance, child),
            IArrayElementReferenceOperation element => ReferenceEquals(element.ArrayReference, child),
            _ => false,
        };
    }

    private static bool IsOwnConstructor(FlowPoint point)
        => point.Body.Method is { MethodKind: MethodKind.Constructor } && point.Operation is IMemberReferenceOperation { Instance: IInstanceReferenceOperation };

    private void Tell(DiagnosticDescriptor descriptor, FlowPoint point, Seen<Need> seen, string enclosing, IEnumerable<IOperation?> related)
    {
        ValueTable table = point.Body.Table;
        Need need = seen.Value;
        ImmutableDictionary<string, string?> properties = AcquireProperties.For(need.Domain, point.Body, table);
        string name = NameOf(need.Domain, table);
        object?[] arguments = ReferenceEquals(descriptor, WrongRcuDomain)
            ? new object?[] { need.Name, name, string.Join(", ", seen.State.Sections.Select(s => NameOf(s.Domain, table))) }
            : new object?[] { need.Name, name, enclosing };
        Findings.Report(descriptor, LocationOf(point.Operation), related, properties, arguments);
    }
}
