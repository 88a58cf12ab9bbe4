// IRCU024: a loop inside a section that nothing in it can end.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace IommuRcu.Analyzers.Rules.Blocking;

/// <summary>Reports endless loops, and loops that only look, in the code that a section encloses.</summary>
internal sealed class UnboundedLoopInSection : Rule
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.UnboundedLoopInSection);

    /// <inheritdoc/>
    public override void Open(FlowPoint point, IMethodSymbol method, IReadOnlyList<Seen<Domain>> seen)
    {
        if (IsShort(point.Body.Map.Of(method).Find(ContractWord.AcquiresReadLock)))
        {
            Judge(EnclosedBy(point.Operation.Syntax), point.Body, point.Operation);
        }
    }

    /// <inheritdoc/>
    public override void Leave(Body body, IReadOnlyList<Exit> exits)
    {
        if (body is { Number: 0, Method: { } method } && body.Contracts.Find(ContractWord.RequiresReadLock) is { Lock: null } contract && body.Graph.OriginalOperation.Syntax is { } whole
            && ((contract.DomainType as INamedTypeSymbol) ?? method.ContainingType).GetMembers().All(m => body.Map.Of(m).Find(ContractWord.AcquiresReadLock) is not { Sleepable: true }))
        {
            Judge(new[] { whole }, body, null);
        }
    }

    // In one that may sleep a loop may wait for another thread.
    private static bool IsShort(Contract? opens) => opens is { Sleepable: false, When: null };

    // What runs while the guard is held.
    private static IEnumerable<SyntaxNode> EnclosedBy(SyntaxNode opener)
    {
        SyntaxNode? holder = opener.Parent is EqualsValueClauseSyntax { Parent: VariableDeclaratorSyntax { Parent: VariableDeclarationSyntax declaration } } ? declaration.Parent : opener.Parent;
        return holder switch
        {
            UsingStatementSyntax statement => new[] { statement.Statement },
            LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0, Parent: BlockSyntax block } local => block.Statements.Skip(block.Statements.IndexOf(local) + 1),
            _ => Enumerable.Empty<SyntaxNode>(),
        };
    }

    private void Judge(IEnumerable<SyntaxNode> enclosed, Body body, IOperation? opener)
    {
        if (body.Member.Model is not { } model)
        {
            return;
        }

        List<SyntaxNode> parts = enclosed.ToList();
        if (parts.Any(p => p.DescendantNodesAndSelf().Any(n => n is InvocationExpressionSyntax && Ends(n, model, body.Map))))
        {
            return;
        }

        foreach (SyntaxNode part in parts)
        {
            foreach (StatementSyntax loop in part.DescendantNodesAndSelf(n => n == part || !IsFunction(n)).OfType<StatementSyntax>())
            {
                if (Unbounded(loop, model, body.Map) is { } how)
                {
                    Findings.Report(Descriptors[0], loop.GetFirstToken().GetLocation(), opener is null ? null : new[] { opener }, null, how);
                }
            }
        }
    }

    private static string? Unbounded(StatementSyntax loop, SemanticModel model, ContractMap map)
    {
        (ExpressionSyntax? condition, StatementSyntax? body) = loop switch
        {
            WhileStatementSyntax statement => (statement.Condition, statement.Statement),
            DoStatementSyntax statement => (statement.Condition, statement.Statement),
            ForStatementSyntax { Incrementors.Count: 0, Declaration: null, Initializers.Count: 0 } statement => (statement.Condition, statement.Statement),
            _ => (null, null),
        };
        return body is null ? null
            : condition is null || model.GetConstantValue(condition) is { HasValue: true, Value: true } ? (IsClosed(body, loop, model, map) ? "has no end" : null)
            : IsIdle(body, model) && OnlyLooks(condition, model) ? "waits for another thread" : null;
    }

    // Nothing in it leaves it, nor the section.
    private static bool IsClosed(StatementSyntax body, StatementSyntax loop, SemanticModel model, ContractMap map)
        => body.DescendantNodesAndSelf(n => n == body || !IsFunction(n)).All(n => n switch
        {
            ReturnStatementSyntax or ThrowStatementSyntax or ThrowExpressionSyntax or GotoStatementSyntax or YieldStatementSyntax or AwaitExpressionSyntax => false,
            BreakStatementSyntax => n.Ancestors().First(static a => a is WhileStatementSyntax or DoStatementSyntax or ForStatementSyntax or CommonForEachStatementSyntax or SwitchStatementSyntax) != loop,
            InvocationExpressionSyntax => model.GetSymbolInfo(n).Symbol is IMethodSymbol method && !map.DoesNotReturn(method) && method.Name is not ("Exit" or "FailFast"),
            _ => true,
        });

    // Whether a call may end the section, if only to open it again.
    private static bool Ends(SyntaxNode call, SemanticModel model, ContractMap map)
        => model.GetSymbolInfo(call).Symbol is IMethodSymbol method && (method.Name == "Dispose" || (map.Of(method).SelfWords & (ContractWord.ReleasesReadLock | ContractWord.RefreshesReadLock)) != 0);

    private static bool IsIdle(StatementSyntax body, SemanticModel model) => body switch
    {
        EmptyStatementSyntax => true,
        BlockSyntax block => block.Statements.All(s => IsIdle(s, model)),
        ExpressionStatementSyntax { Expression: InvocationExpressionSyntax call } => model.GetSymbolInfo(call).Symbol is IMethodSymbol { ContainingType: { Name: "SpinWait" or "Thread" } type, Name: "SpinOnce" or "SpinWait" or "Yield" or "Sleep" } && KnownMembers.IsSystem(type),
        _ => false,
    };

    // Reads of what others write, and comparisons of them.
    private static bool OnlyLooks(ExpressionSyntax condition, SemanticModel model)
    {
        bool reads = false;
        foreach (SyntaxNode node in condition.DescendantNodesAndSelf())
        {
            switch (node)
            {
                case InvocationExpressionSyntax call when model.GetSymbolInfo(call).Symbol is IMethodSymbol { Name: "Read" or "ReadPointer" or "Dereference", ContainingType.Name: "Volatile" or "Interlocked" or "Rcu" or "SleepableRcu" }:
                    reads = true;
                    break;
                case IdentifierNameSyntax when model.GetSymbolInfo(node).Symbol is IFieldSymbol { IsConst: false, IsReadOnly: false }:
                    reads = true;
                    break;
                case InvocationExpressionSyntax or AssignmentExpressionSyntax or AwaitExpressionSyntax or BaseObjectCreationExpressionSyntax or PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PostIncrementExpression or (int)SyntaxKind.PostDecrementExpression }
                    or PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PreIncrementExpression or (int)SyntaxKind.PreDecrementExpression }:
                    return false;
                case IdentifierNameSyntax when model.GetSymbolInfo(node).Symbol is IPropertySymbol:
                    return false;
            }
        }

        return reads;
    }

    private static bool IsFunction(SyntaxNode node) => node is AnonymousFunctionExpressionSyntax or LocalFunctionStatementSyntax;
}
