// Replaces a plain access to a protected field by the accessor that orders it: Rcu.Dereference and Rcu.Assign, or Volatile in other domains.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Formatting;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Reads with <c>Rcu.Dereference(ref field)</c>, writes with <c>Rcu.Assign(ref field, value)</c>.</summary>
internal sealed class AccessorRepair(bool isWrite) : Repair
{
    /// <inheritdoc/>
    public override string Key => isWrite ? "IommuRcu.Assign" : "IommuRcu.Dereference";

    /// <inheritdoc/>
    public override string Title(Finding finding)
    {
        string[] parts = finding.Property(DiagnosticProperties.Accessor)!.Split('.');
        return $"{(isWrite ? "Write" : "Read")} it with '{string.Join(".", parts.Skip(parts.Length - 2))}'";
    }

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        finding.Property(DiagnosticProperties.Accessor) is string accessor
        && FieldOf(finding.Node) is ExpressionSyntax field
        && finding.Model.GetSymbolInfo(field).Symbol is IFieldSymbol { RefKind: RefKind.None } symbol
        && Takes(accessor, symbol.Type)
        && (isWrite ? AssignmentOf(field) is { } assignment && IsStatement(assignment, finding.Model) : IsRead(field));

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (FieldOf(node) is not ExpressionSyntax field)
        {
            return root;
        }

        string accessor = finding.Property(DiagnosticProperties.Accessor)!;
        if (isWrite)
        {
            AssignmentExpressionSyntax assignment = AssignmentOf(field)!;
            ArgumentSyntax value = SyntaxFactory.Argument(assignment.Right.WithoutTrailingTrivia());
            InvocationExpressionSyntax write = Call(accessor, Argument(field, SyntaxKind.RefKeyword), value);
            return root.ReplaceNode(assignment, write.WithTriviaFrom(assignment));
        }

        // A reference to what may not change is passed by in.
        bool isReadOnly = finding.Model.GetSymbolInfo(FieldOf(finding.Node)!).Symbol
            is IFieldSymbol { IsReadOnly: true } or IFieldSymbol { ContainingType.IsValueType: true };
        InvocationExpressionSyntax read = Call(accessor, Argument(field, isReadOnly ? SyntaxKind.InKeyword : SyntaxKind.RefKeyword));
        return root.ReplaceNode(field, read.WithTriviaFrom(field));
    }

    // Rcu's are for references and pointers; Volatile has one method for references and one for each type that is accessed whole.
    private static bool Takes(string accessor, ITypeSymbol type) => accessor.Contains(".Rcu.")
        ? type.IsReferenceType || type.TypeKind == TypeKind.Pointer
        : type.IsReferenceType || type.SpecialType is >= SpecialType.System_Boolean and <= SpecialType.System_Double
            and not (SpecialType.System_Char or SpecialType.System_Decimal) or SpecialType.System_IntPtr or SpecialType.System_UIntPtr;

    private static InvocationExpressionSyntax Call(string method, params ArgumentSyntax[] arguments) =>
        SyntaxFactory.InvocationExpression(
            Blocks.Expression(method), SyntaxFactory.ArgumentList(SyntaxFactory.SeparatedList(arguments)))
        .WithAdditionalAnnotations(Formatter.Annotation);

    private static ArgumentSyntax Argument(ExpressionSyntax field, SyntaxKind passing) =>
        SyntaxFactory.Argument(null, SyntaxFactory.Token(passing), field.WithoutTrivia());

    // The whole access: this._head, table.Head, or the name alone; what is read through ?. has no expression of its own.
    private static ExpressionSyntax? FieldOf(SyntaxNode node)
    {
        ExpressionSyntax? field = node switch
        {
            AssignmentExpressionSyntax assignment => assignment.Left,
            ArgumentSyntax argument => argument.Expression,
            ExpressionStatementSyntax { Expression: AssignmentExpressionSyntax assignment } => assignment.Left,
            _ => node as ExpressionSyntax,
        };
        field = field is IdentifierNameSyntax { Parent: MemberAccessExpressionSyntax access } && access.Name == field ? access : field;
        return field is IdentifierNameSyntax or MemberAccessExpressionSyntax
            && field.Parent is not (MemberBindingExpressionSyntax or NameColonSyntax or NameEqualsSyntax)
            && !field.DescendantNodes().Any(static each => each is MemberBindingExpressionSyntax) ? field : null;
    }

    private static AssignmentExpressionSyntax? AssignmentOf(ExpressionSyntax field) =>
        field.Parent is AssignmentExpressionSyntax { Parent: not InitializerExpressionSyntax } assignment
        && assignment.Left == field
        && assignment.IsKind(SyntaxKind.SimpleAssignmentExpression) ? assignment : null;

    // Neither written as well nor taken by reference.
    private static bool IsRead(ExpressionSyntax field) => field.Parent switch
    {
        AssignmentExpressionSyntax assignment => assignment.Left != field,
        ArgumentSyntax argument => argument.RefKindKeyword.IsKind(SyntaxKind.None) && !IsTarget(argument),
        PrefixUnaryExpressionSyntax unary => unary.Kind() is not (SyntaxKind.PreIncrementExpression or SyntaxKind.PreDecrementExpression
            or SyntaxKind.AddressOfExpression),
        PostfixUnaryExpressionSyntax unary => unary.IsKind(SyntaxKind.SuppressNullableWarningExpression),
        RefExpressionSyntax => false,
        _ => true,
    };

    private static bool IsTarget(ArgumentSyntax argument) =>
        argument.Ancestors().TakeWhile(static each => each is ArgumentSyntax or TupleExpressionSyntax or AssignmentExpressionSyntax).Any(each =>
            each.Parent is AssignmentExpressionSyntax assignment && assignment.Left == each);

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
