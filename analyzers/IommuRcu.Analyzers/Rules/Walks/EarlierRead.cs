// Finds the read of a protected pointer that a later read of the same pointer relies on: a test that it has passed, or the other half of one expression.
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Looks back from a read of one place.</summary>
internal sealed class EarlierRead
{
    private readonly ExpressionSyntax _place;
    private readonly ExpressionSyntax _read;
    private readonly SemanticModel _model;
    private readonly ContractMap _map;
    private readonly HashSet<ISymbol> _named = new(SymbolEqualityComparer.Default);

    public EarlierRead(ExpressionSyntax read, ExpressionSyntax place, SemanticModel model, ContractMap map)
    {
        _read = read;
        _place = WithoutThis(place);
        _model = model;
        _map = map;
        foreach (IdentifierNameSyntax name in place.DescendantNodesAndSelf().OfType<IdentifierNameSyntax>())
        {
            if (_model.GetSymbolInfo(name).Symbol is { } symbol)
            {
                _named.Add(symbol);
            }
        }
    }

    /// <summary>Gets the place that a call reads, if it is one that reads a pointer by reference.</summary>
    /// <param name="call">The call.</param>
    /// <param name="method">What it calls.</param>
    /// <param name="forTests">Whether reads count that only serve a test.</param>
    /// <returns>The place, or none.</returns>
    public static ExpressionSyntax? PlaceOf(InvocationExpressionSyntax call, IMethodSymbol method, bool forTests)
        => method.ContainingType is { } type && call.ArgumentList.Arguments is { Count: 1 } arguments && !arguments[0].RefKindKeyword.IsKind(SyntaxKind.None)
            && (KnownMembers.IsRcu(type)
                ? method.Name == "Dereference" || (forTests && method.Name == "ReadPointer")
                : type.Name == "Volatile" && KnownMembers.IsSystem(type) && method.Name == "Read")
            ? arguments[0].Expression : null;

    /// <summary>Finds what a read relies on.</summary>
    /// <returns>The null test or the read, or none.</returns>
    public ExpressionSyntax? Find() => _place.DescendantNodesAndSelf().All(IsSteady) ? Find(TestBefore) ?? Find(FollowedBefore) : null;

    // Climbs as long as nothing opens, closes or goes round on the way.
    private ExpressionSyntax? Find(System.Func<SyntaxNode, SyntaxNode, ExpressionSyntax?> before)
    {
        for (SyntaxNode node = _read; node.Parent is { } parent; node = parent)
        {
            if (before(node, parent) is { } found)
            {
                return IsUntouchedSince(found) ? found : null;
            }

            if (parent is not (ExpressionSyntax or ArgumentSyntax or ArgumentListSyntax or EqualsValueClauseSyntax or VariableDeclaratorSyntax or VariableDeclarationSyntax
                or LocalDeclarationStatementSyntax { UsingKeyword.RawKind: 0 } or ExpressionStatementSyntax or ReturnStatementSyntax or IfStatementSyntax or ElseClauseSyntax or BlockSyntax)
                || parent is AnonymousFunctionExpressionSyntax or SwitchExpressionSyntax)
            {
                return null;
            }
        }

        return null;
    }

    // The null test that whoever comes to a node has passed.
    private ExpressionSyntax? TestBefore(SyntaxNode node, SyntaxNode parent) => parent switch
    {
        BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalAndExpression } both when both.Right == node => TestIn(both.Left, true),
        BinaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalOrExpression } either when either.Right == node => TestIn(either.Left, false),
        ConditionalExpressionSyntax choice when choice.Condition != node => TestIn(choice.Condition, choice.WhenTrue == node),
        IfStatementSyntax branch when branch.Statement == node => TestIn(branch.Condition, true),
        ElseClauseSyntax { Parent: IfStatementSyntax branch } => TestIn(branch.Condition, false),
        WhileStatementSyntax loop when loop.Statement == node => TestIn(loop.Condition, true),
        BlockSyntax block => PassedIn(block, (StatementSyntax)node),
        _ => null,
    };

    // What is followed before a node in the same expression, or in the condition that leads to it.
    private ExpressionSyntax? FollowedBefore(SyntaxNode node, SyntaxNode parent) => parent switch
    {
        BinaryExpressionSyntax { RawKind: not (int)SyntaxKind.CoalesceExpression } binary when binary.Right == node => FollowedIn(binary.Left),
        ConditionalExpressionSyntax choice when choice.Condition != node => FollowedIn(choice.Condition),
        IfStatementSyntax branch when branch.Statement == node => FollowedIn(branch.Condition),
        ElseClauseSyntax { Parent: IfStatementSyntax branch } => FollowedIn(branch.Condition),
        WhileStatementSyntax loop when loop.Statement == node => FollowedIn(loop.Condition),
        ArgumentListSyntax list => list.Arguments.TakeWhile(a => a != node).Select(a => FollowedIn(a.Expression)).LastOrDefault(static f => f is not null),
        InvocationExpressionSyntax call when call.ArgumentList == node => FollowedIn(call.Expression),
        TupleExpressionSyntax tuple => tuple.Arguments.TakeWhile(a => a != node).Select(a => FollowedIn(a.Expression)).LastOrDefault(static f => f is not null),
        _ => null,
    };

    /// <summary>Tells whether an expression is followed at once: a member of it is used, whatever it is.</summary>
    /// <param name="read">The expression.</param>
    /// <returns>Whether it is.</returns>
    public static bool IsFollowed(ExpressionSyntax read)
    {
        SyntaxNode node = read;
        while (node.Parent is ParenthesizedExpressionSyntax or PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.SuppressNullableWarningExpression })
        {
            node = node.Parent;
        }

        return node.Parent is MemberAccessExpressionSyntax access && access.Expression == node;
    }

    // Named twice it is the same place.
    private static bool IsSteady(SyntaxNode part)
        => part is SimpleNameSyntax or MemberAccessExpressionSyntax or ThisExpressionSyntax or ElementAccessExpressionSyntax or BracketedArgumentListSyntax or ArgumentSyntax or LiteralExpressionSyntax;

    // A way out for the one answer leaves the other to what comes behind.
    private ExpressionSyntax? PassedIn(BlockSyntax block, StatementSyntax behind)
    {
        for (int i = block.Statements.IndexOf(behind) - 1; i >= 0; i--)
        {
            if (block.Statements[i] is IfStatementSyntax { Else: null } way && Leaves(way.Statement) && TestIn(way.Condition, false) is { } test)
            {
                return test;
            }
        }

        return null;
    }

    private static bool Leaves(StatementSyntax statement)
        => statement is ReturnStatementSyntax or ThrowStatementSyntax or ContinueStatementSyntax or BreakStatementSyntax
            || (statement is BlockSyntax { Statements: { Count: > 0 } statements } && Leaves(statements[statements.Count - 1]));

    // The null test of the place that a condition has passed when it gives this answer.
    private ExpressionSyntax? TestIn(ExpressionSyntax condition, bool answer)
    {
        switch (condition)
        {
            case ParenthesizedExpressionSyntax { Expression: var inner }:
                return TestIn(inner, answer);
            case PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.LogicalNotExpression, Operand: var operand }:
                return TestIn(operand, !answer);
            case BinaryExpressionSyntax binary when binary.IsKind(answer ? SyntaxKind.LogicalAndExpression : SyntaxKind.LogicalOrExpression):
                return TestIn(binary.Right, answer) ?? TestIn(binary.Left, answer);
            case BinaryExpressionSyntax binary when binary.IsKind(answer ? SyntaxKind.NotEqualsExpression : SyntaxKind.EqualsExpression):
                return (IsNull(binary.Right) && IsRead(binary.Left)) || (IsNull(binary.Left) && IsRead(binary.Right)) ? binary : null;
            case IsPatternExpressionSyntax { Expression: var tested, Pattern: var pattern } test when IsRead(tested) && IsNullTest(pattern, !answer):
                return test;
            default:
                return null;
        }
    }

    private static bool IsNullTest(PatternSyntax pattern, bool matchesNull) => pattern switch
    {
        ConstantPatternSyntax { Expression: var constant } => matchesNull && IsNull(constant),
        RecursivePatternSyntax { Type: null, PositionalPatternClause: null, PropertyPatternClause.Subpatterns.Count: 0 } => !matchesNull,
        UnaryPatternSyntax { Pattern: var negated } => IsNullTest(negated, !matchesNull),
        _ => false,
    };

    private static bool IsNull(ExpressionSyntax expression) => expression.IsKind(SyntaxKind.NullLiteralExpression);

    // A read of the place in an expression, a member of which is used there.
    private ExpressionSyntax? FollowedIn(ExpressionSyntax expression)
        => expression.DescendantNodesAndSelf(static n => n is not AnonymousFunctionExpressionSyntax).OfType<ExpressionSyntax>().LastOrDefault(e => IsFollowed(e) && IsRead(e));

    private bool IsRead(ExpressionSyntax expression)
    {
        while (expression is ParenthesizedExpressionSyntax or PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.SuppressNullableWarningExpression })
        {
            expression = expression is ParenthesizedExpressionSyntax inner ? inner.Expression : ((PostfixUnaryExpressionSyntax)expression).Operand;
        }

        return IsPlace(expression)
            || (expression is InvocationExpressionSyntax call && _model.GetSymbolInfo(call).Symbol is IMethodSymbol method && PlaceOf(call, method, forTests: true) is { } place && IsPlace(place));
    }

    private bool IsPlace(ExpressionSyntax expression) => SyntaxFactory.AreEquivalent(WithoutThis(expression), _place);

    private static ExpressionSyntax WithoutThis(ExpressionSyntax place)
        => place is MemberAccessExpressionSyntax { Expression: ThisExpressionSyntax, Name: IdentifierNameSyntax name } ? name : place;

    // Between the two nothing is written that the place is made of, no section opens or closes, and nothing runs that could do so.
    private bool IsUntouchedSince(ExpressionSyntax earlier)
    {
        SyntaxNode both = earlier.Ancestors().First(a => a.Span.Contains(_read.Span));
        return both.DescendantNodes().Where(n => n.SpanStart >= earlier.Span.End && n.SpanStart < _read.SpanStart).All(IsHarmless);
    }

    private bool IsHarmless(SyntaxNode node) => node switch
    {
        InvocationExpressionSyntax call => call.Span.Contains(_read.Span) || (_model.GetSymbolInfo(call).Symbol is IMethodSymbol method && IsHarmless(call, method)),
        AssignmentExpressionSyntax assignment => !IsOfPlace(assignment.Left) || assignment.Right.Span.Contains(_read.Span),
        PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PostIncrementExpression or (int)SyntaxKind.PostDecrementExpression, Operand: var target } => !IsOfPlace(target),
        PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PreIncrementExpression or (int)SyntaxKind.PreDecrementExpression, Operand: var target } => !IsOfPlace(target),
        ArgumentSyntax { RefKindKeyword.RawKind: (int)SyntaxKind.RefKeyword or (int)SyntaxKind.OutKeyword, Parent.Parent: InvocationExpressionSyntax taker } argument
            => !IsOfPlace(argument.Expression) || (_model.GetSymbolInfo(taker).Symbol is IMethodSymbol method && PlaceOf(taker, method, forTests: true) is not null),
        AwaitExpressionSyntax or YieldStatementSyntax or UsingStatementSyntax or LockStatementSyntax or LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 }
            or LabeledStatementSyntax or GotoStatementSyntax or LocalFunctionStatementSyntax or AnonymousFunctionExpressionSyntax => false,
        _ => true,
    };

    private bool IsHarmless(InvocationExpressionSyntax call, IMethodSymbol method)
        => PlaceOf(call, method, forTests: true) is not null
            || (KnownMembers.IsSystem(method.ContainingType) && _map.Of(method).IsEmpty && method.MethodKind != MethodKind.DelegateInvoke
                && method.ContainingNamespace is not { Name: "Threading", ContainingNamespace.Name: "System" });

    private bool IsOfPlace(ExpressionSyntax target)
        => target.DescendantNodesAndSelf().OfType<IdentifierNameSyntax>().LastOrDefault() is { } name && _model.GetSymbolInfo(name).Symbol is { } symbol && _named.Contains(symbol);
}
