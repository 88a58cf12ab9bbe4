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
    public override string Title(Finding finding) => $"Read '{finding.Property(DiagnosticProperties.Variable)}' inside the section";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => Find(finding.Node, finding) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (Find(node, finding) is not (LocalDeclarationStatementSyntax sample, StatementSyntax section))
        {
            return root;
        }

        SyntaxNode owner = StatementRange.OwnerOf(sample)!;
        List<StatementSyntax> list = [.. StatementRange.ListOf(owner)];
        StatementSyntax moved = Blocks.WithoutComments(sample).WithAdditionalAnnotations(Formatter.Annotation);
        int from = list.IndexOf(sample);
        int to = list.IndexOf(section);
        var replacement = new List<StatementSyntax>(list.Skip(from + 1).Take(to - from - 1));
        if (section is UsingStatementSyntax { Statement: BlockSyntax body } statement)
        {
            BlockSyntax longer = body.WithStatements(body.Statements.Insert(0, moved));
            replacement.Add(statement.WithStatement(longer).WithAdditionalAnnotations(Formatter.Annotation));
        }
        else
        {
            replacement.Add(section);
            replacement.Add(moved);
        }

        return Blocks.Replace(root, new StatementRange(owner, from, to), replacement);
    }

    // The declaration before the section, and the section: a using statement around the finding, or a using declaration before it.
    private static (LocalDeclarationStatementSyntax Sample, StatementSyntax Section)? Find(SyntaxNode node, Finding finding)
    {
        if (finding.Property(DiagnosticProperties.Variable) is not string name)
        {
            return null;
        }

        foreach (SyntaxNode owner in node.Ancestors().Where(each => StatementRange.ListOf(each).Count != 0))
        {
            List<StatementSyntax> list = [.. StatementRange.ListOf(owner)];
            int declared = list.FindIndex(
                each => each is LocalDeclarationStatementSyntax { UsingKeyword.RawKind: 0, Declaration.Variables.Count: 1 } local
                && local.Declaration.Variables[0].Identifier.ValueText == name);
            if (declared < 0)
            {
                continue;
            }

            int section = list.FindIndex(declared + 1, each => each switch
            {
                UsingStatementSyntax { Statement: BlockSyntax } block => block.Span.Contains(node.Span),
                LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 } local => local.SpanStart < node.SpanStart,
                _ => false,
            });
            if (section < 0)
            {
                return null;
            }

            // Nobody between or behind may need the bound.
            string[] names = [name];
            IEnumerable<StatementSyntax> outside = list.Skip(declared + 1).Take(section - declared - 1);
            if (list[section] is UsingStatementSyntax)
            {
                outside = outside.Concat(list.Skip(section + 1));
            }

            return outside.Any(each => StatementRange.Mentions(each, names))
                ? null
                : ((LocalDeclarationStatementSyntax)list[declared], list[section]);
        }

        return null;
    }
}
