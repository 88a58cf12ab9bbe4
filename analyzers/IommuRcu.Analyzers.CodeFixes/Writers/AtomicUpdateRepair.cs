// Replaces a read-modify-write of a table entry by one atomic operation.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Replaces <c>entry |= bit</c> by <c>Interlocked.Or(ref entry, bit)</c>, and the like.</summary>
internal sealed class AtomicUpdateRepair : Repair
{
    private const string Interlocked = "System.Threading.Interlocked";

    /// <inheritdoc/>
    public override string Key => "IommuRcu.AtomicUpdate";

    /// <inheritdoc/>
    public override string Title(Finding finding) => $"Use 'Interlocked.{Find(finding.Node)!.Value.Method}'";

    /// <inheritdoc/>
    public override bool Applies(Finding finding)
    {
        if (Find(finding.Node) is not (ExpressionSyntax update, ExpressionSyntax target, string method, _)
            || update.Parent is not ExpressionStatementSyntax)
        {
            return false;
        }

        // The operation must exist for the entry's type, and a reference to the entry must be possible.
        ITypeSymbol? type = finding.Model.GetTypeInfo(target).Type;
        return finding.Model.GetSymbolInfo(target).Symbol is null or IFieldSymbol or ILocalSymbol or IParameterSymbol
                or IPropertySymbol { ReturnsByRef: true }
            && type is not null
            && finding.Type(Interlocked)?.GetMembers(method).OfType<IMethodSymbol>()
                .Any(each => SymbolEqualityComparer.Default.Equals(each.Parameters[0].Type, type)) == true;
    }

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (Find(node) is not (ExpressionSyntax update, ExpressionSyntax target, string method, ExpressionSyntax value))
        {
            return root;
        }

        ExpressionSyntax call = Blocks.Expression($"global::{Interlocked}.{method}(ref {target}, {value})");
        return root.ReplaceNode(update, call.WithTriviaFrom(update).WithAdditionalAnnotations(Formatter.Annotation));
    }

    private static (ExpressionSyntax Update, ExpressionSyntax Target, string Method, ExpressionSyntax Value)? Find(SyntaxNode node)
    {
        AssignmentExpressionSyntax? assignment = node is ExpressionStatementSyntax statement
            ? statement.Expression as AssignmentExpressionSyntax
            : node.FirstAncestorOrSelf<AssignmentExpressionSyntax>();
        return assignment is not null && Method(assignment.Kind()) is string method
            ? (assignment, assignment.Left, method, assignment.Right)
            : null;
    }

    private static string? Method(SyntaxKind kind) => kind switch
    {
        SyntaxKind.OrAssignmentExpression => "Or",
        SyntaxKind.AndAssignmentExpression => "And",
        SyntaxKind.AddAssignmentExpression => "Add",
        _ => null,
    };
}
