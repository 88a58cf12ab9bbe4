// IRCU045: a gather with something on its list that some path neither syncs nor hands on.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Reclaim;

/// <summary>Reports gathers that are not synced.</summary>
internal sealed class GatherNeverSynced : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.GatherNeverSynced);

    /// <inheritdoc/>
    public override void Leave(Body body, IReadOnlyList<Exit> exits)
    {
        foreach (Exit exit in exits)
        {
            for (int i = 0; i < exit.State.Values.Count && exit.Kind != ExitKind.CallThrows; i++)
            {
                if (exit.State.Values.ValueAt(i) is { Holder: Holder.GatherFilled, OriginSite: { } made })
                {
                    string name = NameOf(made);
                    Report(made, exit.Site, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Variable, name).Add(DiagnosticProperties.CloseMethod, SyncOf(made.Type, body)), name);
                }
            }
        }
    }

    // What ends the gather in any case: its Dispose, else what flushes it.
    private static string? SyncOf(ITypeSymbol? gather, Body body)
        => gather?.GetMembers().OfType<IMethodSymbol>()
            .Where(m => m is { Parameters.IsEmpty: true, IsStatic: false } && (body.Map.Of(m).SelfWords & ContractWord.FlushesIotlb) != 0)
            .OrderByDescending(static m => m.Name == "Dispose").ThenByDescending(m => (body.Map.Of(m).SelfWords & ContractWord.Retires) != 0)
            .FirstOrDefault()?.Name;

    private static string NameOf(IOperation made)
        => made.Syntax.Parent?.Parent is Microsoft.CodeAnalysis.CSharp.Syntax.VariableDeclaratorSyntax declarator ? declarator.Identifier.Text : Names.Of(made);
}
