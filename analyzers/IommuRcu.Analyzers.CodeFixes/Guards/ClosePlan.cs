// Where a section is opened, where it is closed by hand, and whether a using or a finally can take the place of that.
using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>The places of one hand-closed section in one list of statements.</summary>
internal sealed class ClosePlan
{
    private readonly List<StatementSyntax> _list;

    private ClosePlan(SyntaxNode owner, int open, int? close, int last, LocalDeclarationStatementSyntax? guard, string closeCall)
    {
        Owner = owner;
        _list = [.. StatementRange.ListOf(owner)];
        Open = open;
        Close = close;
        Last = last;
        Guard = guard;
        CloseCall = closeCall;
    }

    /// <summary>Gets the list that the opener stands in.</summary>
    public SyntaxNode Owner { get; }

    /// <summary>Gets the index of the opener.</summary>
    public int Open { get; }

    /// <summary>Gets the index of the closer in the same list; null where the section lasts to the end of it.</summary>
    public int? Close { get; }

    /// <summary>Gets the index of the last statement that must come inside: the closer, or the last that needs a local of the section.</summary>
    public int Last { get; }

    /// <summary>Gets the declaration of the guard; null where the opener returns none.</summary>
    public LocalDeclarationStatementSyntax? Guard { get; }

    /// <summary>Gets the call that closes.</summary>
    public string CloseCall { get; }

    /// <summary>Gets whether the guard is passed by reference, which a using variable cannot be.</summary>
    public bool IsPassedByReference { get; private set; }

    /// <summary>Gets the opener.</summary>
    public StatementSyntax Opener => _list[Open];

    /// <summary>Gets whether the section lasts to the end of the list.</summary>
    public bool LastsToTheEnd => Last == _list.Count - 1;

    /// <summary>Gets the statements of the section as it is now.</summary>
    public IEnumerable<StatementSyntax> Inside => _list.Skip(Open + 1).Take((Close ?? _list.Count) - Open - 1);

    /// <summary>Gets the statements behind the section that have to come inside.</summary>
    public IEnumerable<StatementSyntax> Behind => Close is int close ? _list.Skip(close + 1).Take(Last - close) : [];

    /// <summary>Gets the closer in the same list.</summary>
    public StatementSyntax? Closer => Close is int close ? _list[close] : null;

    /// <summary>Plans the repair; null where the closers are in places that a using or finally would change the meaning of.</summary>
    public static ClosePlan? Create(SyntaxNode owner, StatementSyntax opener, LocalDeclarationStatementSyntax? guard, string closeCall)
    {
        List<StatementSyntax> list = [.. StatementRange.ListOf(owner)];
        int open = list.IndexOf(opener);
        int close = list.FindIndex(open + 1, each => IsCall(each, closeCall));
        List<StatementSyntax> body = [.. list.Skip(open + 1).Take((close < 0 ? list.Count : close) - open - 1)];

        // What the section declares must not be needed behind it: what needs it comes inside as well.
        HashSet<string> declared = [.. body.SelectMany(StatementRange.DeclaredNames)];
        int last = close < 0 ? list.Count - 1 : close;
        for (int i = last + 1; close >= 0 && i < list.Count; i++)
        {
            if (StatementRange.Mentions(list[i], declared))
            {
                declared.UnionWith(list.Skip(last + 1).Take(i - last).SelectMany(StatementRange.DeclaredNames));
                last = i;
            }
        }

        var plan = new ClosePlan(owner, open, close < 0 ? null : close, last, guard, closeCall);

        // A closer inside must be followed by a jump out.
        if (body.Count == 0
            || body.SelectMany(static each => each.DescendantNodes().OfType<StatementSyntax>()).Where(plan.IsClose).Any(each => !LeavesNext(each, owner))
            || IsClosedElsewhere(plan, list[open], guard is not null))
        {
            return null;
        }

        if (guard is null)
        {
            return plan;
        }

        string name = guard.Declaration.Variables[0].Identifier.ValueText;
        List<IdentifierNameSyntax> uses = [.. list.Skip(open + 1)
            .SelectMany(static each => each.DescendantNodes().OfType<IdentifierNameSyntax>())
            .Where(each => each.Identifier.ValueText == name)];
        plan.IsPassedByReference = uses.Any(static each => each.Parent is ArgumentSyntax { RefKindKeyword.RawKind: not 0 });

        // Nobody may use the guard behind the section, or put another in its place.
        return uses.Any(each => (close >= 0 && each.SpanStart > list[close].Span.End)
            || (each.Parent is AssignmentExpressionSyntax assignment && assignment.Left == each)) ? null : plan;
    }

    /// <summary>Says whether a statement is the closing call.</summary>
    public bool IsClose(StatementSyntax statement) => IsCall(statement, CloseCall);

    private static bool IsCall(StatementSyntax statement, string call) =>
        statement is ExpressionStatementSyntax { Expression: InvocationExpressionSyntax or ConditionalAccessExpressionSyntax } expression
        && IsSame(Plain(expression.Expression.ToString()), Plain(call));

    // The rule writes types out in full, the code need not.
    private static bool IsSame(string left, string right) => left == right
        || left.EndsWith("." + right, StringComparison.Ordinal)
        || right.EndsWith("." + left, StringComparison.Ordinal);

    private static string Plain(string text) =>
        text.Replace("global::", string.Empty).Replace("this.", string.Empty).Replace("?.", ".").Replace(" ", string.Empty);

    // Another closer behind, that no other opener accounts for, or one in a function: what the section is like is not seen from here.
    private static bool IsClosedElsewhere(ClosePlan plan, StatementSyntax opener, bool isGuard)
    {
        int end = plan.Close is int close ? plan._list[close].Span.End : plan._list[plan._list.Count - 1].Span.End;
        SyntaxNode body = plan.Owner.AncestorsAndSelf().FirstOrDefault(static each =>
            StatementRange.IsNestedFunction(each) || each is MemberDeclarationSyntax and not GlobalStatementSyntax) ?? plan.Owner.SyntaxTree.GetRoot();
        int balance = 0;
        foreach (SyntaxNode node in body.DescendantNodes())
        {
            bool isClose = node is StatementSyntax statement ? plan.IsClose(statement)
                : node is ArrowExpressionClauseSyntax or LambdaExpressionSyntax { ExpressionBody: not null }
                    && IsSame(Plain((node as ArrowExpressionClauseSyntax)?.Expression.ToString() ?? ((LambdaExpressionSyntax)node).ExpressionBody!.ToString()), Plain(plan.CloseCall));
            bool isOpen = !isGuard && node is ExpressionStatementSyntax && node != opener && node.ToString() == opener.ToString();
            if (isClose && node.Ancestors().TakeWhile(each => each != body).Any(StatementRange.IsNestedFunction))
            {
                return true;
            }

            // Opened twice before it is closed: which of the two is meant is not known.
            if (isOpen && node.SpanStart < end && node.SpanStart > body.SpanStart && plan._list.Contains(node))
            {
                int first = plan._list.IndexOf((StatementSyntax)node);
                if (!plan._list.Skip(first).Take(System.Math.Max(0, plan.Open - first)).Any(plan.IsClose) || first > plan.Open)
                {
                    return true;
                }
            }

            balance += node.SpanStart < end ? 0 : isOpen ? 1 : isClose ? -1 : 0;
            if (balance < 0)
            {
                return true;
            }
        }

        return false;
    }

    private static bool LeavesNext(StatementSyntax closer, SyntaxNode opened)
    {
        if (StatementRange.OwnerOf(closer) is not SyntaxNode owner)
        {
            return false;
        }

        List<StatementSyntax> list = [.. StatementRange.ListOf(owner)];
        int next = list.IndexOf(closer) + 1;
        return next < list.Count && list[next] switch
        {
            ReturnStatementSyntax or ThrowStatementSyntax => true,
            BreakStatementSyntax => LeavesBy(list[next], opened, static each => each is SwitchStatementSyntax || IsLoop(each)),
            ContinueStatementSyntax => LeavesBy(list[next], opened, IsLoop),
            _ => false,
        };
    }

    // The loop or switch that is left, or begun anew, must be around the opener as well.
    private static bool LeavesBy(StatementSyntax jump, SyntaxNode opened, Func<SyntaxNode, bool> isTarget) =>
        jump.Ancestors().FirstOrDefault(isTarget) is SyntaxNode target && target.Span.Contains(opened.Span) && target != opened;

    private static bool IsLoop(SyntaxNode node) =>
        node is WhileStatementSyntax or DoStatementSyntax or ForStatementSyntax or CommonForEachStatementSyntax;
}
