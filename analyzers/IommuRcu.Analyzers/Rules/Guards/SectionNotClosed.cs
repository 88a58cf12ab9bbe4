// IRCU033 and 039: a section or pin that a path leaves open, and one that stays open if a call throws.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;
using static IommuRcu.Analyzers.Descriptors;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports sections that are left open.</summary>
internal sealed class SectionNotClosed : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.SectionNotClosed, SectionNotClosedIfCallThrows);

    /// <inheritdoc/>
    public override void Leave(Body body, IReadOnlyList<Exit> exits)
    {
        bool opens = (body.Contracts.SelfWords & ContractWord.AcquiresReadLock) != 0;
        foreach (Exit exit in exits.OrderBy(static e => e.Kind))
        {
            if (!opens && body.Role != BodyRole.Helper)
            {
                foreach (Section section in exit.State.Sections.Where(static s => s is { Kind: SectionKind.Opened, Opener: not null }))
                {
                    Tell(body, exit, section.Opener!, section.Guard);
                }
            }

            for (int i = 0; i < exit.State.Values.Count && exit.Kind != ExitKind.CallThrows; i++)
            {
                if (exit.State.Values.ValueAt(i) is { Holder: Holder.PinHeld, OriginSite: { } made } pin && pin.Range.Single != 0)
                {
                    Tell(body, exit, made, made.Type);
                }
            }
        }
    }

    private void Tell(Body body, Exit exit, IOperation opener, ITypeSymbol? guard)
    {
        string name = opener switch
        {
            IInvocationOperation call => call.TargetMethod.Name,
            IObjectCreationOperation { Type: { } type } => "new " + type.Name,
            _ => Names.Of(opener),
        };
        ImmutableDictionary<string, string?> properties = ImmutableDictionary<string, string?>.Empty
            .Add(DiagnosticProperties.CloseMethod, guard is null ? null : "Dispose")
            .Add(DiagnosticProperties.ReleaseExpression, guard is null ? ReleaseOf(opener, body) : null);
        if (exit.Kind == ExitKind.CallThrows)
        {
            Findings.Report(SectionNotClosedIfCallThrows, LocationOf(opener), new[] { exit.Site }, properties, name, Names.Of(exit.Site));
            return;
        }

        string path = exit.Kind == ExitKind.Throw ? "a throw" : exit.Site is null ? "the end of the body" : "a return";
        Findings.Report(Analyzers.Descriptors.SectionNotClosed, LocationOf(opener), new[] { exit.Site }, properties, name, path);
    }

    // The call that closes what the opener opened, on the same receiver, where the type has just one.
    private static string? ReleaseOf(IOperation opener, Body body)
    {
        if (opener is not IInvocationOperation call)
        {
            return null;
        }

        IMethodSymbol[] closers = call.TargetMethod.ContainingType.GetMembers().OfType<IMethodSymbol>()
            .Where(m => m.Parameters.IsEmpty && m.IsStatic == call.TargetMethod.IsStatic && body.Map.Of(m).Find(ContractWord.ReleasesReadLock) is { When: null }).ToArray();
        string? receiver = call.TargetMethod.IsStatic ? call.TargetMethod.ContainingType.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat)
            : Names.Unwrap(call.Instance) is { IsImplicit: false } instance ? instance.Syntax.ToString() : "this";
        return closers.Length == 1 ? receiver + "." + closers[0].Name + "()" : null;
    }
}
