// Moves the read of a bound into the section that it decides about.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Moves <c>int tail = _tail;</c> to the beginning of the section, where only the section uses it.</summary>
internal sealed class SampleInsideRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.SampleInside";

    /// <inheritdoc/>
    public override string Title(Finding finding) =>
        $"Read '{Find(finding)!.Value.Sample.Declaration.Variables[0].Identifier.ValueText}' inside the section";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => Find(finding) is not null;

    /// <inheritdoc/>
    public override IEnumerable<SyntaxNode> Touches(Finding finding) =>
        Find(finding) is (LocalDeclarationStatementSyntax sample, StatementSyntax section) ? [sample, section] : [];

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (Find(finding) is not (LocalDeclarationStatementSyntax original, StatementSyntax opener)
            || root.GetCurrentNode(original) is not LocalDeclarationStatementSyntax sample
            || root.GetCurrentNode(opener) is not StatementSyntax section
            || StatementRange.OwnerOf(sample) is not SyntaxNode owner
            || StatementRange.OwnerOf(section) != owner)
        {
            return root;
        }

        List<StatementSyntax> list = [.. StatementRange.ListOf(owner)];
        int from = list.IndexOf(sample);
        int to = list.IndexOf(section);
        if (from > to)
        {
            // An earlier repair has moved it.
            return root;
        }

        StatementSyntax moved = Blocks.WithoutComments(sample).WithAdditionalAnnotations(Formatter.Annotation);
        var replacement = new List<StatementSyntax>(list.Skip(from + 1).Take(to - from - 1));
        replacement.AddRange(section switch
        {
            UsingStatementSyntax { Statement: BlockSyntax body } held =>
                [held.WithStatement(body.WithStatements(body.Statements.Insert(0, moved))).WithAdditionalAnnotations(Formatter.Annotation)],
            TryStatementSyntax attempt =>
                [attempt.WithBlock(attempt.Block.WithStatements(attempt.Block.Statements.Insert(0, moved))).WithAdditionalAnnotations(Formatter.Annotation)],
            _ => new[] { section, moved },
        });

        return Blocks.Replace(root, new StatementRange(owner, from, to), replacement);
    }

    // The declaration before the section, and the section: a using around the finding, a using declaration or a try behind its enter before it.
    private static (LocalDeclarationStatementSyntax Sample, StatementSyntax Section)? Find(Finding finding)
    {
        if (finding.Related()?.FirstAncestorOrSelf<StatementSyntax>() is not LocalDeclarationStatementSyntax sample
            || StatementRange.OnlyVariable(sample) is not { Initializer.Value: ExpressionSyntax read } variable
            || StatementRange.OwnerOf(sample) is not SyntaxNode owner)
        {
            return null;
        }

        List<StatementSyntax> list = [.. StatementRange.ListOf(owner)];
        int declared = list.IndexOf(sample);
        int section = list.FindIndex(declared + 1, each => each switch
        {
            UsingStatementSyntax { Statement: BlockSyntax } block => block.Span.Contains(finding.Node.Span),
            TryStatementSyntax { Finally: not null } attempt => attempt.Block.Span.Contains(finding.Node.Span),
            LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 } local => local.SpanStart < finding.Node.SpanStart,
            _ => false,
        });
        if (section < 0)
        {
            return null;
        }

        // Nobody between or behind may need the bound, nor change what it is computed from.
        string[] names = [variable.Identifier.ValueText];
        List<StatementSyntax> between = [.. list.Skip(declared + 1).Take(section - declared - 1)];
        HashSet<string> sources = [.. read.DescendantNodesAndSelf().OfType<IdentifierNameSyntax>().Select(static each => each.Identifier.ValueText)];
        bool isNeeded = between.Exists(each => StatementRange.Mentions(each, names))
            || (list[section] is UsingStatementSyntax or TryStatementSyntax && list.Skip(section + 1).Any(each => StatementRange.Mentions(each, names)))
            || (list[section] is TryStatementSyntax { Finally: { } last } && StatementRange.Mentions(last, names));
        bool isChanged = between.Exists(each => each.DescendantNodes().OfType<AssignmentExpressionSyntax>().Any(
            assignment => StatementRange.Mentions(assignment.Left, sources)));
        return isNeeded || isChanged ? null : (sample, list[section]);
    }
}
