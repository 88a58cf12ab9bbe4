// IRCU031: a guard that is disposed by hand, and not in a finally.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Reports guards without using or finally.</summary>
internal sealed class GuardWithoutUsing : Rule
{
    private Dictionary<IOperation, (string Name, bool InFinally, string Closer)> _closed = new();

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.GuardWithoutUsing);

    /// <inheritdoc/>
    public override void Close(FlowPoint point, IReadOnlyList<Seen<Closing>> seen)
    {
        foreach (Seen<Closing> one in seen)
        {
            if (one.Value is { Guard: not 0, Section: { Opener: { } opener, Guard: not null } })
            {
                bool inFinally = point.Operation.IsImplicit || point.Operation.Syntax.Ancestors().Any(static a => a is FinallyClauseSyntax)
                    || UsingLocal.Is((point.Operation as IInvocationOperation)?.Instance);
                if (!inFinally)
                {
                    point.Body.Member.Doubt();
                    inFinally = _closed.TryGetValue(opener, out var before) && before.InFinally;
                }

                _closed[opener] = (Names.Of((point.Operation as IInvocationOperation)?.Instance), inFinally, (point.Operation as IInvocationOperation)?.TargetMethod.Name ?? "Dispose");
            }
        }
    }

    /// <inheritdoc/>
    public override void Leave(Body body, IReadOnlyList<Exit> exits)
    {
        foreach (KeyValuePair<IOperation, (string Name, bool InFinally, string Closer)> closed in _closed)
        {
            if (!closed.Value.InFinally)
            {
                Report(closed.Key, null, ImmutableDictionary<string, string?>.Empty.Add(DiagnosticProperties.Variable, closed.Value.Name).Add(DiagnosticProperties.CloseMethod, closed.Value.Closer), closed.Value.Name);
            }
        }

        _closed.Clear();
    }

    /// <inheritdoc/>
    protected override void Begin() => _closed = new Dictionary<IOperation, (string, bool, string)>();
}

/// <summary>Tells whether a variable belongs to a using.</summary>
internal static class UsingLocal
{
    /// <summary>Tells whether a using holds what a call returns.</summary>
    /// <param name="opener">The call.</param>
    /// <returns>Whether it does.</returns>
    public static bool Holds(IOperation opener)
        => opener.Syntax.Parent is UsingStatementSyntax
            || opener.Syntax.Parent is EqualsValueClauseSyntax { Parent: VariableDeclaratorSyntax { Parent.Parent: UsingStatementSyntax or LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 } } };

    /// <summary>Tells whether an expression names a using variable.</summary>
    /// <param name="operation">The expression.</param>
    /// <returns>Whether it does.</returns>
    public static bool Is(IOperation? operation)
        => Names.Unwrap(operation) is ILocalReferenceOperation { Local: { DeclaringSyntaxReferences: { Length: 1 } references } }
            && references[0].GetSyntax().Parent?.Parent is UsingStatementSyntax or LocalDeclarationStatementSyntax { UsingKeyword.RawKind: not 0 };
}
