// IRCU026: a delegate that came from elsewhere is invoked inside a section, and may do there what it likes.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Blocking;

/// <summary>Reports delegates from parameters, fields, properties and events that are invoked inside sections.</summary>
internal sealed class UnknownDelegateInSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.UnknownDelegateInSection);

    /// <inheritdoc/>
    public override void Invoke(FlowPoint point, CallSite call, IReadOnlyList<Seen<int>> seen)
    {
        // A section that may sleep is made for code that takes its time.
        if (call.Contracts.IsEmpty && seen.Count > 0 && Verdict.All(point, seen, s => Sections.ThreadBound(s.State) is not null && IsUnknown(s, point.Body)))
        {
            Section section = Sections.ThreadBound(seen[0].State)!;
            Report(point.Operation, section.Opener, null, Names.Of(Names.Unwrap(call.Instance)), NameOf(section.Domain, point.Body.Table));
        }
    }

    private static bool IsUnknown(Seen<int> seen, Body body)
    {
        ValueTable table = seen.State.Table;
        ValueInfo info = table.Info(seen.Value);
        return info switch
        {
            { Kind: ValueKind.Site, Tag: IEventReferenceOperation } => true,
            { Kind: ValueKind.Initial } => table.SlotInfo(info.A).Symbol switch
            {
                IParameterSymbol { ContainingSymbol: IMethodSymbol method } parameter => body.Member.ContractsOf(method).Parameter(parameter.Ordinal).IsEmpty,
                IFieldSymbol field => body.Map.Of(field).IsEmpty && !(field.IsReadOnly && IsMadeInSight(field)),
                IPropertySymbol property => body.Map.Of(property).IsEmpty && !property.DeclaringSyntaxReferences.Any(static r => r.GetSyntax() is PropertyDeclarationSyntax { Initializer: not null } or PropertyDeclarationSyntax { ExpressionBody: not null }),
                _ => false,
            },
            _ => false,
        };
    }

    private static bool IsMadeInSight(IFieldSymbol field)
        => field.DeclaringSyntaxReferences.Any(static r => r.GetSyntax() is VariableDeclaratorSyntax { Initializer: not null });
}
