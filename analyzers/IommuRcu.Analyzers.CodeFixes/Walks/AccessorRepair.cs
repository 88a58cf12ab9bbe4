// Replaces a plain access to a protected field by the accessor that orders it: Rcu.Dereference, or Rcu.Assign.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Reads with <c>Rcu.Dereference(in field)</c>, writes with <c>Rcu.Assign(ref field, value)</c>.</summary>
internal sealed class AccessorRepair(bool isWrite) : Repair
{
    /// <inheritdoc/>
    public override string Key => isWrite ? "IommuRcu.Assign" : "IommuRcu.Dereference";

    /// <inheritdoc/>
    public override string Title(Finding finding)
    {
        string[] parts = Accessor(finding).Split('.');
        return $"{(isWrite ? "Write" : "Read")} it with '{string.Join(".", parts.Skip(parts.Length - 2))}'";
    }

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        FieldOf(finding.Node) is ExpressionSyntax field
        && finding.Model.GetSymbolInfo(field).Symbol is IFieldSymbol
        && HasAccessor(finding)
        && (isWrite ? AssignmentOf(field) is { } assignment && IsStatement(assignment, finding.Model) : AssignmentOf(field) is null);

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        ExpressionSyntax field = FieldOf(node)!;
        string accessor = Accessor(finding);
        if (isWrite)
        {
            AssignmentExpressionSyntax assignment = AssignmentOf(field)!;
            InvocationExpressionSyntax write = Call(
                accessor, Argument(field, SyntaxKind.RefKeyword), SyntaxFactory.Argument(assignment.Right));
            return root.ReplaceNode(assignment, write.WithTriviaFrom(assignment));
        }

        bool isReadOnly = finding.Model.GetSymbolInfo(FieldOf(finding.Node)!).Symbol is IFieldSymbol { IsReadOnly: true };
        InvocationExpressionSyntax read = Call(accessor, Argument(field, isReadOnly ? SyntaxKind.InKeyword : SyntaxKind.RefKeyword));
        return root.ReplaceNode(field, read.WithTriviaFrom(field));
    }

    private string Accessor(Finding finding) =>
        finding.Property(DiagnosticProperties.Accessor) ?? "global::IommuRcu.Rcu." + (isWrite ? "Assign" : "Dereference");

    private static bool HasAccessor(Finding finding) =>
        finding.Property(DiagnosticProperties.Accessor) is not null || finding.Type("IommuRcu.Rcu") is not null;

    private static InvocationExpressionSyntax Call(string method, params ArgumentSyntax[] arguments) =>
        SyntaxFactory.InvocationExpression(
            Blocks.Expression(method), SyntaxFactory.ArgumentList(SyntaxFactory.SeparatedList(arguments)))
        .WithAdditionalAnnotations(Formatter.Annotation);

    private static ArgumentSyntax Argument(ExpressionSyntax field, SyntaxKind passing) =>
        SyntaxFactory.Argument(null, SyntaxFactory.Token(passing), field.WithoutTrivia());

    // The whole access: this._head, table.Head, or the name alone.
    private static ExpressionSyntax? FieldOf(SyntaxNode node)
    {
        ExpressionSyntax? field = node switch
        {
            AssignmentExpressionSyntax assignment => assignment.Left,
            ArgumentSyntax argument => argument.Expression,
            ExpressionStatementSyntax { Expression: AssignmentExpressionSyntax assignment } => assignment.Left,
            _ => node as ExpressionSyntax,
        };
        return field is IdentifierNameSyntax { Parent: MemberAccessExpressionSyntax access } && access.Name == field ? access
            : field is IdentifierNameSyntax or MemberAccessExpressionSyntax ? field
            : null;
    }

    private static AssignmentExpressionSyntax? AssignmentOf(ExpressionSyntax field) =>
        field.Parent is AssignmentExpressionSyntax assignment
        && assignment.Left == field
        && assignment.IsKind(SyntaxKind.SimpleAssignmentExpression) ? assignment : null;

    // The accessor gives nothing back, so the assignment's own value must not be needed.
    private static bool IsStatement(AssignmentExpressionSyntax assignment, SemanticModel model) => assignment.Parent switch
    {
        ExpressionStatementSyntax => true,
        ForStatementSyntax loop => loop.Incrementors.Contains(assignment),
        ArrowExpressionClauseSyntax or LambdaExpressionSyntax =>
            ExpressionBodies.OwnerOf(assignment) is SyntaxNode owner && ExpressionBodies.IsVoid(owner, model),
        _ => false,
    };
}
