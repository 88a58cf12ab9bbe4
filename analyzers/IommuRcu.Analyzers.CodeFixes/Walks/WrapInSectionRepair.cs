// Opens the missing section around the walk, where nothing in it waits and nothing that it protects gets out.
using System;
using System.Collections.Generic;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Wraps a walk in <c>using (Rcu.ReadLock())</c>, or in enter, try, finally exit where the domain has no guard.</summary>
internal sealed class WrapInSectionRepair : WrapRepair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.WrapInSection";

    /// <inheritdoc/>
    public override string Title(Finding finding) =>
        $"Open a section with '{Blocks.Shown(finding.Property(DiagnosticProperties.AcquireExpression)!)}'";

    /// <inheritdoc/>
    protected override bool CanWrapAt(Finding finding, int position) =>
        finding.Property(DiagnosticProperties.AcquireExpression) is string acquire
        && finding.TypeAt(acquire, position) is not null
        && !(ReceiverOf(acquire) is string receiver && IsTestedOnTheWay(finding.Node, position, receiver));

    /// <inheritdoc/>
    protected override IEnumerable<StatementSyntax> Wrap(Finding finding, IReadOnlyList<StatementSyntax> statements)
    {
        ExpressionSyntax acquire = Blocks.Expression(finding.Property(DiagnosticProperties.AcquireExpression)!);
        return finding.Property(DiagnosticProperties.ReleaseExpression) is string release
            ? [SyntaxFactory.ExpressionStatement(acquire), Blocks.TryFinally(statements, Blocks.Expression(release))]
            : [Blocks.Using(acquire, statements)];
    }

    /// <inheritdoc/>
    protected override bool Escapes(Finding finding, IReadOnlyList<SyntaxNode> wrapped, bool isHoisted)
    {
        // Other sections that end, or are left for a while, in what is only taken along: they are not this one's to enclose.
        if (wrapped.Skip(1).SelectMany(static each => each.DescendantNodes()).OfType<InvocationExpressionSyntax>().Any(each =>
            (finding.WordsOf(finding.Model.GetSymbolInfo(each).Symbol) & (ContractWord.ReleasesReadLock | ContractWord.RefreshesReadLock)) != 0))
        {
            return true;
        }

        // What is protected, and the locals that hold it.
        var names = new HashSet<string>();
        foreach (SyntaxNode node in wrapped.SelectMany(static each => each.DescendantNodesAndSelf()))
        {
            if (node is not ExpressionSyntax expression || !(IsProtected(finding, expression) || IsNamed(expression, names)))
            {
                continue;
            }

            SyntaxNode value = Whole(expression);
            switch (value.Parent)
            {
                case ReturnStatementSyntax or YieldStatementSyntax or ArrowExpressionClauseSyntax or RefExpressionSyntax:
                case LambdaExpressionSyntax:
                    return true;
                case EqualsValueClauseSyntax { Parent: VariableDeclaratorSyntax } when isHoisted:
                    return true;
                case EqualsValueClauseSyntax { Parent: VariableDeclaratorSyntax variable }:
                    names.Add(variable.Identifier.ValueText);
                    break;
                case AssignmentExpressionSyntax assignment when assignment.Right == value && !IsNamed(assignment.Left, names):
                    return true;
            }

            // Wrapped whole, an expression gives its value to what is around it.
            if (wrapped.Contains(value) && value is not StatementSyntax)
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsProtected(Finding finding, ExpressionSyntax expression)
    {
        if (finding.Contracts is not ContractMap map
            || expression is not (InvocationExpressionSyntax or MemberAccessExpressionSyntax or IdentifierNameSyntax or ElementAccessExpressionSyntax))
        {
            return false;
        }

        ISymbol? symbol = finding.Model.GetSymbolInfo(expression).Symbol;
        return symbol is IMethodSymbol or IPropertySymbol or IFieldSymbol
            && (expression is InvocationExpressionSyntax || symbol is not IMethodSymbol)
            && ((map.Of(symbol).ResultWords & ContractWord.RcuProtected) != 0
                || map.FindOnType(finding.Model.GetTypeInfo(expression).Type, ContractWord.RcuProtected) is not null);
    }

    private static bool IsNamed(ExpressionSyntax expression, HashSet<string> names) =>
        expression is IdentifierNameSyntax name && names.Contains(name.Identifier.ValueText);

    // The expression with all around it that has the same value, or may have.
    private static SyntaxNode Whole(ExpressionSyntax expression)
    {
        SyntaxNode value = expression;
        while (value.Parent is ParenthesizedExpressionSyntax or CastExpressionSyntax or PostfixUnaryExpressionSyntax
                or ConditionalExpressionSyntax or SwitchExpressionArmSyntax or SwitchExpressionSyntax
            || (value.Parent is ConditionalAccessExpressionSyntax access && access.WhenNotNull == value)
            || (value.Parent is MemberAccessExpressionSyntax member && member.Name == value)
            || (value.Parent is BinaryExpressionSyntax { RawKind: (int)SyntaxKind.CoalesceExpression or (int)SyntaxKind.AsExpression }))
        {
            value = value.Parent;
        }

        return value;
    }

    // this.epoch of this.epoch.Open(); null where a type opens it.
    private static string? ReceiverOf(string acquire)
    {
        string receiver = acquire.Substring(0, acquire.LastIndexOf('.') is var dot && dot < 0 ? 0 : dot);
        return receiver.Length == 0 || receiver.StartsWith("global::", StringComparison.Ordinal) || receiver == "this" ? null : receiver;
    }

    // e?.Walk() and e != null && e.Walk() do without the domain; the section would not.
    private static bool IsTestedOnTheWay(SyntaxNode node, int position, string receiver)
    {
        string last = receiver.Substring(receiver.LastIndexOf('.') + 1);
        for (SyntaxNode child = node; child.Parent is SyntaxNode parent && parent.SpanStart >= position && parent is not BlockSyntax; child = parent)
        {
            SyntaxNode? test = parent switch
            {
                ConditionalAccessExpressionSyntax access => access.Expression,
                BinaryExpressionSyntax binary => binary.Left,
                ConditionalExpressionSyntax conditional => conditional.Condition,
                IfStatementSyntax branch => branch.Condition,
                WhileStatementSyntax loop => loop.Condition,
                ForStatementSyntax loop => loop.Condition,
                _ => null,
            };
            if (test is not null && test != child && StatementRange.Mentions(test, [last]))
            {
                return true;
            }
        }

        return false;
    }
}
