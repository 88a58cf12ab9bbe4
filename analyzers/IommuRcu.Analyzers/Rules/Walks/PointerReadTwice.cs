// IRCU073: a protected pointer that is tested by one read, and followed by another.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports second reads that rely on what the first one found.</summary>
internal sealed class PointerReadTwice : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.PointerReadTwice);

    /// <inheritdoc/>
    public override void Call(FlowPoint point, CallSite call, IReadOnlyList<State> states)
    {
        if (call.Operation is IInvocationOperation && call.Operation.Syntax is InvocationExpressionSyntax read && EarlierRead.PlaceOf(read, call.Method, forTests: false) is { } place
            && call.Arguments.Length == 1 && Names.Unwrap(call.Arguments[0].Value) is IMemberReferenceOperation member && IsProtected(member, point.Body.Map))
        {
            Judge(point, read, place, member, states);
        }
    }

    /// <inheritdoc/>
    public override void ReadProtected(FlowPoint point, ISymbol member, Contract contract, IReadOnlyList<Seen<Need>> seen)
    {
        // What is to be read with Dereference is another matter.
        if ((member is IPropertySymbol || contract.PlainAllowed) && point.Operation is IMemberReferenceOperation reference && PlaceOf(reference.Syntax) is { } place && !seen.Any(static s => PlainAccess.IsFresh(s.State, s.Value.Owner)))
        {
            Judge(point, place, place, reference, seen.Select(static s => s.State).ToList());
        }
    }

    private void Judge(FlowPoint point, ExpressionSyntax read, ExpressionSyntax place, IMemberReferenceOperation member, IReadOnlyList<State> states)
    {
        if (!EarlierRead.IsFollowed(read) || point.Body.Member.Model is not { } model || IsMadeHere(member)
            || new EarlierRead(read, place, model, point.Body.Map).Find() is not { } earlier)
        {
            return;
        }

        // A writer may read as often as it likes: under its lock nobody else writes.
        if (Verdict.All(point, states.Select(static s => new Seen<bool>(s, s.Sections.Count > 0 && s.Locks.Count == 0)).ToList(), static s => s.Value))
        {
            Findings.Report(Descriptors[0], read.GetLocation(), new[] { earlier.GetLocation() }, null, member.Member.Name);
        }
    }

    private static ExpressionSyntax? PlaceOf(SyntaxNode syntax)
        => syntax is IdentifierNameSyntax { Parent: MemberAccessExpressionSyntax access } name && access.Name == name ? access : syntax as ExpressionSyntax is var place and not MemberBindingExpressionSyntax ? place : null;

    private static bool IsProtected(IMemberReferenceOperation reference, ContractMap map) => (map.Of(reference.Member).ResultWords & ContractWord.RcuProtected) != 0;

    // What the body has made itself nobody else may know yet.
    private static bool IsMadeHere(IMemberReferenceOperation member)
        => Names.Unwrap(member.Instance) is ILocalReferenceOperation { Local.DeclaringSyntaxReferences: { Length: 1 } declared }
            && declared[0].GetSyntax() is VariableDeclaratorSyntax { Initializer.Value: BaseObjectCreationExpressionSyntax };
}
