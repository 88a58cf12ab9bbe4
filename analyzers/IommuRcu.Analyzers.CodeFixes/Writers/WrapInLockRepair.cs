// Takes the writer lock around an update: by a lock statement, or as the kind of lock asks for.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Wraps an update in <c>lock (_lock)</c>, or in enter, try, finally exit.</summary>
internal sealed class WrapInLockRepair : WrapRepair
{
    /// <inheritdoc/>
    public override string Key => "IommuRcu.WrapInLock";

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Take '{finding.Property(DiagnosticProperties.Lock)}' around it";

    /// <inheritdoc/>
    protected override bool CanWrapAt(Finding finding, int position) =>
        finding.Property(DiagnosticProperties.Lock) is string gate
        && finding.TypeAt(gate, position) is ITypeSymbol type
        && (type.IsReferenceType || PairOf(type) is not null)
        && !(type.ToDisplayString().StartsWith("System.Threading.", System.StringComparison.Ordinal) && type.Name != "Lock" && PairOf(type) is null);

    /// <inheritdoc/>
    protected override IEnumerable<StatementSyntax> Wrap(Finding finding, IReadOnlyList<StatementSyntax> statements)
    {
        string gate = finding.Property(DiagnosticProperties.Lock)!;
        if (finding.TypeAt(gate, finding.Node.SpanStart) is ITypeSymbol type && PairOf(type) is (string enter, string exit))
        {
            return
            [
                SyntaxFactory.ExpressionStatement(Blocks.Expression($"{gate}.{enter}()")),
                Blocks.TryFinally(statements, Blocks.Expression($"{gate}.{exit}()")),
            ];
        }

        return
        [
            SyntaxFactory.LockStatement(Blocks.Expression(gate), Blocks.Block(statements)).WithAdditionalAnnotations(
                Formatter.Annotation, Blocks.Section),
        ];
    }

    // Locks that a lock statement does not take, though it compiles.
    private static (string Enter, string Exit)? PairOf(ITypeSymbol type) => type.ToDisplayString() switch
    {
        "System.Threading.ReaderWriterLockSlim" => ("EnterWriteLock", "ExitWriteLock"),
        "System.Threading.SemaphoreSlim" => ("Wait", "Release"),
        "System.Threading.Mutex" => ("WaitOne", "ReleaseMutex"),
        _ => null,
    };
}
