// Ends a section before the wait for a grace period that the section itself would hold up.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Moves a wait, and the return behind it, out of a using or a try with a finally; a section left with nothing in it goes.</summary>
internal sealed class WaitAfterSectionRepair : Repair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.WaitAfterSection";

    /// <inheritdoc/>
    public override string Title(Finding finding) => "Move it after the section";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) => Find(finding.Node, finding) is not null;

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding) =>
        Find(node, finding) is Plan plan ? plan.Apply(root) : root;

    private static Plan? Find(SyntaxNode node, Finding finding)
    {
        if (node.FirstAncestorOrSelf<StatementSyntax>() is not ExpressionStatementSyntax wait
            || StatementRange.OwnerOf(wait) is not SyntaxNode owner
            || finding.Related() is not SyntaxNode opener)
        {
            return null;
        }

        // The section must be the innermost thing around the wait, and the one that the rule means.
        List<StatementSyntax> list = [.. StatementRange.ListOf(owner)];
        int at = list.IndexOf(wait);
        SyntaxNode original = finding.Node.FirstAncestorOrSelf<StatementSyntax>()!;
        int held = list.FindLastIndex(at, each => each is LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 });
        Plan? plan = null;
        if (held >= 0)
        {
            SyntaxNode originalOwner = StatementRange.OwnerOf((StatementSyntax)original)!;
            bool isMeant = StatementRange.ListOf(originalOwner).LastOrDefault(each =>
                each is LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 } && each.SpanStart < original.SpanStart)?.Span.Contains(opener.Span) == true;
            plan = isMeant ? new Plan(owner, held, list.Count - 1, [.. list.Skip(held + 1).Take(at - held - 1)], [.. list.Skip(at)])
            {
                Guard = ((LocalDeclarationStatementSyntax)list[held]).Declaration,
                Wrapper = list[held],
            } : null;
        }
        else if (owner is BlockSyntax { Parent: UsingStatementSyntax section } && IsOpenedBy(original, opener) && StatementRange.OwnerOf(section) is SyntaxNode around)
        {
            int place = StatementRange.At(around, section).First;
            plan = new Plan(around, place, place, [.. list.Take(at)], [.. list.Skip(at)]) { Wrapper = section };
        }
        else if (owner is BlockSyntax { Parent: TryStatementSyntax { Catches.Count: 0, Finally: not null } attempt }
            && StatementRange.OwnerOf(attempt) is SyntaxNode outside
            && StatementRange.At(outside, attempt).First is var index && index > 0
            && StatementRange.ListOf(outside)[index - 1] is ExpressionStatementSyntax
            && IsEnteredBefore(original, opener))
        {
            plan = new Plan(outside, index, index, [.. list.Take(at)], [.. list.Skip(at)]) { Wrapper = attempt };
        }

        return plan is not null && plan.IsPossible(finding) ? plan : null;
    }

    private static bool IsOpenedBy(SyntaxNode wait, SyntaxNode opener) =>
        wait.Parent?.Parent is UsingStatementSyntax section
        && ((SyntaxNode?)section.Expression ?? section.Declaration)!.Span.Contains(opener.Span);

    private static bool IsEnteredBefore(SyntaxNode wait, SyntaxNode opener) =>
        wait.Parent?.Parent is TryStatementSyntax attempt
        && StatementRange.OwnerOf(attempt) is SyntaxNode owner
        && StatementRange.At(owner, attempt).First is var index && index > 0
        && StatementRange.ListOf(owner)[index - 1].Span.Contains(opener.Span);

    /// <summary>A section cut in two: what stays, and the wait with what follows it.</summary>
    private sealed class Plan(SyntaxNode owner, int first, int last, List<StatementSyntax> inside, List<StatementSyntax> moved)
    {
        /// <summary>Gets the using or try statement, or the using declaration.</summary>
        public StatementSyntax Wrapper { get; init; } = null!;

        /// <summary>Gets what a using declaration declares.</summary>
        public VariableDeclarationSyntax? Guard { get; init; }

        private HashSet<string> Shared => [.. inside.SelectMany(StatementRange.DeclaredNames)
            .Where(name => moved.Exists(each => StatementRange.Mentions(each, [name])))];

        // Behind the section only plain values may be used, and only those of locals that can be declared before it.
        public bool IsPossible(Finding finding)
        {
            string? guard = Guard?.Variables[0].Identifier.ValueText
                ?? (Wrapper as UsingStatementSyntax)?.Declaration?.Variables[0].Identifier.ValueText;
            if (moved.Exists(each => guard is not null && StatementRange.Mentions(each, [guard]))
                || moved.Skip(1).Any(static each => each is not (ReturnStatementSyntax or BreakStatementSyntax or ContinueStatementSyntax)
                    || each.DescendantNodes().Any(static node => node is InvocationExpressionSyntax or MemberAccessExpressionSyntax
                        or ElementAccessExpressionSyntax or BaseObjectCreationExpressionSyntax or AwaitExpressionSyntax)))
            {
                return false;
            }

            HashSet<string> shared = Shared;
            return shared.Count == 0 || (finding.Node.SyntaxTree == Wrapper.SyntaxTree
                ? shared.All(name => DeclarationOf(name) is { } declaration && IsPlain(declaration, finding.Model))
                : shared.All(name => DeclarationOf(name) is not null));
        }

        public SyntaxNode Apply(SyntaxNode root)
        {
            var before = new List<StatementSyntax>();
            foreach (string name in Shared)
            {
                LocalDeclarationStatementSyntax declaration = DeclarationOf(name)!;
                (LocalDeclarationStatementSyntax hoisted, StatementSyntax assignment) =
                    Hoisting.Split(declaration, declaration.Declaration.Type.ToString());
                before.Add(hoisted);
                inside[inside.IndexOf(declaration)] = assignment;
            }

            List<StatementSyntax> behind = [.. moved.Select(static each => each.WithAdditionalAnnotations(Formatter.Annotation))];
            behind[0] = Comments.WithoutBlankLines(behind[0]);
            if (inside.Count != 0)
            {
                behind[0] = behind[0].WithLeadingTrivia(behind[0].GetLeadingTrivia().Insert(0, Attributes.EndOfLine(owner)));
            }

            List<StatementSyntax> replacement = [.. before];
            if (inside.Count != 0)
            {
                replacement.Add(Blocks.WithoutComments(Wrapper switch
                {
                    UsingStatementSyntax section => section.WithStatement(((BlockSyntax)section.Statement).WithStatements(SyntaxFactory.List(inside))),
                    TryStatementSyntax attempt => attempt.WithBlock(attempt.Block.WithStatements(SyntaxFactory.List(inside))),
                    _ => Blocks.Using(Guard!, inside),
                }).WithAdditionalAnnotations(Formatter.Annotation));
            }

            replacement.AddRange(behind);
            return Blocks.Replace(root, new StatementRange(owner, first, last), replacement);
        }

        private LocalDeclarationStatementSyntax? DeclarationOf(string name) => inside.OfType<LocalDeclarationStatementSyntax>().FirstOrDefault(each =>
            !each.Declaration.Type.IsVar && StatementRange.OnlyVariable(each)?.Identifier.ValueText == name);

        private static bool IsPlain(LocalDeclarationStatementSyntax declaration, SemanticModel model) =>
            Hoisting.TypeOf(declaration, model) is not null
            && model.GetTypeInfo(declaration.Declaration.Type).Type is { IsValueType: true };
    }
}
