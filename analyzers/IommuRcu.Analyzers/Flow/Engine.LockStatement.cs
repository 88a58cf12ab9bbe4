// Lock statements that the compiler's graph shows no end of: where nullable annotations are on, it does not recognise a System.Threading.Lock.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

internal sealed partial class Engine
{
    /// <summary>Gets what a lock statement takes, where the graph has nothing but that expression for it, and the statement's body behind.</summary>
    /// <param name="operation">An operation of the graph.</param>
    /// <returns>The lock; none where the graph takes and gives it itself, and for everything else.</returns>
    internal static IOperation? LockedBy(IOperation operation)
        => operation is IExpressionStatementOperation { Syntax: LockStatementSyntax, Operation: IInvalidOperation invalid }
            && invalid.ChildOperations.FirstOrDefault() is { Type: INamedTypeSymbol { Name: "Lock" } type } target && KnownMembers.IsSystem(type)
            ? target
            : null;

    private void EnterLockStatement(IExpressionStatementOperation statement, IOperation target, List<State> states)
    {
        Execute(target, states);
        TellBlock(statement.Operation, "Lock.EnterScope", states);
        TellLock(statement.Operation, target, states);
        foreach (State state in states)
        {
            TakeLock(target, statement, state);
        }
    }

    // Such a lock is held as long as what runs stands in its statement, or in a function called from there.
    private void LeaveLockStatements(IOperation next, List<State> states)
    {
        foreach (State state in states)
        {
            for (int i = state.Locks.Count - 1; i >= 0; i--)
            {
                if (state.Locks[i].Statement is { Syntax: var statement } && IsWithin(statement, _body.Graph.OriginalOperation.Syntax) && (next.Syntax == statement || !IsWithin(next.Syntax, statement)))
                {
                    state.Locks.RemoveAt(i);
                    state.Touch();
                }
            }
        }
    }

    private static bool IsWithin(SyntaxNode inner, SyntaxNode outer) => inner.SyntaxTree == outer.SyntaxTree && outer.Span.Contains(inner.Span);
}
