// IRCU037: a section with nothing in it, or directly inside another of the same domain.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports sections that protect nothing more.</summary>
internal sealed class RedundantSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.RedundantSection);

    /// <inheritdoc/>
    public override void Open(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
        if (SectionOf(point.Operation.Syntax) is not { } section)
        {
            return;
        }

        if (IsEmpty(section))
        {
            Report(point.Operation, null, null, method.Name, "has nothing in it");
        }
        else if (Around(section) is { } around && seen.Count > 0 && Verdict.All(point, seen, s => IsInside(s, around)))
        {
            Report(point.Operation, Outer(seen[0], around)!.Opener, null, method.Name, "stands directly in another of the same domain");
        }
    }

    /// <summary>Finds the statement whose section an expression opens.</summary>
    /// <param name="opener">The expression.</param>
    /// <returns>The using statement or declaration; none for everything else.</returns>
    internal static SyntaxNode? SectionOf(SyntaxNode opener) => opener.Parent switch
    {
        UsingStatementSyntax statement => statement,
        EqualsValueClauseSyntax { Parent: VariableDeclaratorSyntax { Parent.Parent: UsingStatementSyntax statement } } => statement,
        EqualsValueClauseSyntax { Parent: VariableDeclaratorSyntax { Parent.Parent: LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 } declaration } } => declaration,
        _ => null,
    };

    /// <summary>Tells whether nothing stands in a section.</summary>
    /// <param name="section">The statement.</param>
    /// <returns>Whether it is a using statement around nothing.</returns>
    internal static bool IsEmpty(SyntaxNode section) => section is UsingStatementSyntax { Statement: BlockSyntax { Statements.Count: 0 } or EmptyStatementSyntax };

    // The statement that opens the section which this one begins.
    private static SyntaxNode? Around(SyntaxNode section)
    {
        switch (section.Parent)
        {
            case UsingStatementSyntax outer:
                return outer;
            case BlockSyntax block:
                int index = block.Statements.IndexOf((StatementSyntax)section);
                return index > 0 ? block.Statements[index - 1] as LocalDeclarationStatementSyntax : block.Parent as UsingStatementSyntax;
            default:
                return null;
        }
    }

    private static bool IsInside(Seen<Domain> seen, SyntaxNode around) => Outer(seen, around) is not null;

    private static Section? Outer(Seen<Domain> seen, SyntaxNode around)
        => seen.State.Sections.FirstOrDefault(s => s is { Kind: SectionKind.Opened, Guard: not null, Opener: { } opener } && SectionOf(opener.Syntax) == around
            && s.Domain.Equals(seen.Value) && seen.Value.Kind != DomainKind.Any);
}
