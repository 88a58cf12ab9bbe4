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
    private ClosePlan(SyntaxNode owner, int open, int? close, LocalDeclarationStatementSyntax? guard, string closeCall)
    {
        Owner = owner;
        Open = open;
        Close = close;
        Guard = guard;
        CloseCall = closeCall;
    }

    /// <summary>Gets the list that the opener stands in.</summary>
    public SyntaxNode Owner { get; }

    /// <summary>Gets the index of the opener.</summary>
    public int Open { get; }

    /// <summary>Gets the index of the closer in the same list; null where the section lasts to the end of it.</summary>
    public int? Close { get; }

    /// <summary>Gets the declaration of the guard; null where the opener returns none.</summary>
    public LocalDeclarationStatementSyntax? Guard { get; }

    /// <summary>Gets the call that closes.</summary>
    public string CloseCall { get; }

    /// <summary>Gets whether the guard is passed by reference, which a using variable cannot be.</summary>
    public bool NeedsFinally { get; private set; }

    /// <summary>Plans the repair; null where the closers are in places that a using or finally would change the meaning of.</summary>
    public static ClosePlan? Create(SyntaxNode owner, StatementSyntax opener, LocalDeclarationStatementSyntax? guard, string closeCall)
    {
        List<StatementSyntax> list = [.. StatementRange.ListOf(owner)];
        int open = list.IndexOf(opener);
        int close = list.FindIndex(open + 1, each => IsCall(each, closeCall));
        var plan = new ClosePlan(owner, open, close < 0 ? null : close, guard, closeCall);
        List<StatementSyntax> body = [.. list.Skip(open + 1).Take((close < 0 ? list.Count : close) - open - 1)];
        List<StatementSyntax> behind = close < 0 ? [] : [.. list.Skip(close + 1)];

        // A closer inside must be followed by a jump out, or close where the list ends anyway.
        if (body.SelectMany(each => each.DescendantNodes().OfType<StatementSyntax>()).Where(plan.IsClose).Any(each => !LeavesNext(each)))
        {
            return null;
        }

        // What the body declares must not be needed behind the section, and nothing may stay open across a suspension.
        HashSet<string> declared = [.. body.SelectMany(StatementRange.DeclaredNames)];
        if (guard is not null)
        {
            string name = guard.Declaration.Variables[0].Identifier.ValueText;
            declared.Add(name);
            plan.NeedsFinally = body.SelectMany(each => each.DescendantNodes().OfType<ArgumentSyntax>())
                .Any(each =>
                    !each.RefKindKeyword.IsKind(
                        SyntaxKind.None) && each.Expression is IdentifierNameSyntax used && used.Identifier.ValueText == name);
        }

        return declared.Count != 0 && behind.Any(each => StatementRange.Mentions(each, declared)) ? null : plan;
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

    private static bool LeavesNext(StatementSyntax closer)
    {
        if (StatementRange.OwnerOf(closer) is not SyntaxNode owner)
        {
            return false;
        }

        List<StatementSyntax> list = [.. StatementRange.ListOf(owner)];
        int next = list.IndexOf(closer) + 1;
        return next < list.Count
            && list[next] is ReturnStatementSyntax or ThrowStatementSyntax
            && !StatementRange.Suspends(list[next]);
    }
}
