// Replaces a read-modify-write of a table entry by one atomic operation, or by a loop around a compare-exchange.
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
    public override string Title(Finding finding) =>
        $"Use 'Interlocked.{MethodFor(finding) ?? "CompareExchange"}'";

    /// <inheritdoc/>
    public override bool Applies(Finding finding) =>
        Find(finding.Node) is (ExpressionSyntax update, ExpressionSyntax target, _, ExpressionSyntax value)
        && IsStatement(update, finding.Model)
        && CanRefer(target, finding.Model)
        && (MethodFor(finding) is not null || CanLoop(finding, update, target, value));

    /// <inheritdoc/>
    public override SyntaxNode Apply(SyntaxNode root, SyntaxNode node, Finding finding)
    {
        if (Find(node) is not (ExpressionSyntax update, ExpressionSyntax target, SyntaxKind kind, ExpressionSyntax value))
        {
            return root;
        }

        string place = target.WithoutTrivia().ToString();
        if (MethodFor(finding) is string method)
        {
            string more = method is "Increment" or "Decrement" ? string.Empty
                : kind == SyntaxKind.SubtractExpression ? $", -{Operand(value)}"
                : ", " + value.WithoutTrivia();
            ExpressionSyntax call = Blocks.Expression($"global::{Interlocked}.{method}(ref {place}{more})");
            return root.ReplaceNode(update, call.WithTriviaFrom(update).WithAdditionalAnnotations(Formatter.Annotation));
        }

        ExpressionStatementSyntax statement = (ExpressionStatementSyntax)update.Parent!;
        string seen = Names.Unused(finding.Model, finding.Node, "seen", root);
        string type = TypeOf(finding)!.ToMinimalDisplayString(finding.Model, finding.Node.SpanStart);
        StatementSyntax declaration = SyntaxFactory.ParseStatement($"{type} {seen};")
            .WithTrailingTrivia(SyntaxFactory.ElasticCarriageReturnLineFeed).WithAdditionalAnnotations(Formatter.Annotation);
        string changed = $"{seen} {SyntaxFacts.GetText(OperatorOf(kind))} {Operand(value)}";
        StatementSyntax loop = Blocks.Simplifiable(SyntaxFactory.ParseStatement(
            $"do\n{{\n{seen} = global::System.Threading.Volatile.Read(ref {place});\n}}\n"
            + $"while (global::{Interlocked}.CompareExchange(ref {place}, {changed}, {seen}) != {seen});"))
            .WithTrailingTrivia(statement.GetTrailingTrivia())
            .WithAdditionalAnnotations(Formatter.Annotation);
        return StatementRange.OwnerOf(statement) is SyntaxNode owner and not SwitchSectionSyntax
            ? Blocks.Replace(root, StatementRange.At(owner, statement), [declaration, loop])
            : root.ReplaceNode(
                statement, Blocks.Block([declaration, loop]).WithLeadingTrivia(Comments.Leading(statement)).WithAdditionalAnnotations(Formatter.Annotation));
    }

    private static string Operand(ExpressionSyntax value) =>
        value is LiteralExpressionSyntax or IdentifierNameSyntax or MemberAccessExpressionSyntax or InvocationExpressionSyntax
            or ParenthesizedExpressionSyntax or ElementAccessExpressionSyntax
            ? value.WithoutTrivia().ToString()
            : $"({value.WithoutTrivia()})";

    // The one operation that does it, where it exists for the entry's type.
    private static string? MethodFor(Finding finding)
    {
        if (Find(finding.Node) is not (_, _, SyntaxKind kind, ExpressionSyntax value) || TypeOf(finding) is not ITypeSymbol type)
        {
            return null;
        }

        bool isOne = value is LiteralExpressionSyntax { Token.ValueText: "1" } && finding.Node is not AssignmentExpressionSyntax;
        string? method = kind switch
        {
            SyntaxKind.BitwiseOrExpression => "Or",
            SyntaxKind.BitwiseAndExpression => "And",
            SyntaxKind.AddExpression => isOne && IsStep(finding.Node) ? "Increment" : "Add",
            SyntaxKind.SubtractExpression => isOne && IsStep(finding.Node) ? "Decrement" : IsSigned(type) ? "Add" : null,
            _ => null,
        };
        return method is not null && Has(finding, method, type) ? method : null;
    }

    private static bool IsStep(SyntaxNode node) =>
        (node as ExpressionStatementSyntax)?.Expression is PrefixUnaryExpressionSyntax or PostfixUnaryExpressionSyntax
        || node.FirstAncestorOrSelf<ExpressionSyntax>() is PrefixUnaryExpressionSyntax or PostfixUnaryExpressionSyntax;

    private static bool IsSigned(ITypeSymbol type) => type.SpecialType is SpecialType.System_Int32 or SpecialType.System_Int64;

    private static ITypeSymbol? TypeOf(Finding finding) =>
        Find(finding.Node) is (_, ExpressionSyntax target, _, _) ? finding.Model.GetTypeInfo(target).Type : null;

    private static bool Has(Finding finding, string method, ITypeSymbol type) =>
        finding.Type(Interlocked)?.GetMembers(method).OfType<IMethodSymbol>()
            .Any(each => SymbolEqualityComparer.Default.Equals(each.Parameters[0].Type, type)) == true;

    // The loop computes target and value each time round, and its numbers must not be widened.
    private static bool CanLoop(Finding finding, ExpressionSyntax update, ExpressionSyntax target, ExpressionSyntax value) =>
        update.Parent is ExpressionStatementSyntax
        && TypeOf(finding) is { SpecialType: SpecialType.System_Int32 or SpecialType.System_UInt32 or SpecialType.System_Int64 or SpecialType.System_UInt64 } type
        && Has(finding, "CompareExchange", type)
        && (finding.Model.GetTypeInfo(value) is var info
            && (SymbolEqualityComparer.Default.Equals(info.Type, type) || finding.Model.GetConstantValue(value).HasValue))
        && new[] { target, value }.SelectMany(static each => each.DescendantNodesAndSelf()).All(static each => each
            is not (InvocationExpressionSyntax or AssignmentExpressionSyntax or AwaitExpressionSyntax or PostfixUnaryExpressionSyntax or ThrowExpressionSyntax)
            && !each.IsKind(SyntaxKind.PreIncrementExpression) && !each.IsKind(SyntaxKind.PreDecrementExpression));

    private static bool CanRefer(ExpressionSyntax target, SemanticModel model) => model.GetSymbolInfo(target).Symbol switch
    {
        IFieldSymbol field => !field.IsReadOnly,
        null => target is ElementAccessExpressionSyntax or PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PointerIndirectionExpression },
        ILocalSymbol or IParameterSymbol { RefKind: not RefKind.In } or IPropertySymbol { ReturnsByRef: true } or IMethodSymbol { ReturnsByRef: true } => true,
        _ => false,
    };

    // The value of the whole must not be needed.
    private static bool IsStatement(ExpressionSyntax update, SemanticModel model) => update.Parent switch
    {
        ExpressionStatementSyntax => true,
        ArrowExpressionClauseSyntax or LambdaExpressionSyntax =>
            ExpressionBodies.OwnerOf(update) is SyntaxNode owner && ExpressionBodies.IsVoid(owner, model),
        _ => false,
    };

    // x |= v, x++, x = x | v.
    private static (ExpressionSyntax Update, ExpressionSyntax Target, SyntaxKind Operator, ExpressionSyntax Value)? Find(SyntaxNode node)
    {
        ExpressionSyntax? update = node is ExpressionStatementSyntax statement ? statement.Expression : node.FirstAncestorOrSelf<ExpressionSyntax>(
            static each => each is AssignmentExpressionSyntax || Step(each) is not null);
        switch (update)
        {
            case AssignmentExpressionSyntax { RawKind: (int)SyntaxKind.SimpleAssignmentExpression, Right: BinaryExpressionSyntax binary } assignment:
                SyntaxKind plain = binary.Kind();
                return OperatorOf(plain) != SyntaxKind.None && binary.Left.WithoutTrivia().ToString() == assignment.Left.WithoutTrivia().ToString()
                    ? (assignment, assignment.Left, plain, binary.Right)
                    : null;
            case AssignmentExpressionSyntax assignment:
                SyntaxKind compound = Plain(assignment.Kind());
                return compound != SyntaxKind.None ? (assignment, assignment.Left, compound, assignment.Right) : null;
            case ExpressionSyntax when Step(update) is ExpressionSyntax operand:
                SyntaxKind step = update.Kind() is SyntaxKind.PreIncrementExpression or SyntaxKind.PostIncrementExpression
                    ? SyntaxKind.AddExpression : SyntaxKind.SubtractExpression;
                return (update, operand, step, SyntaxFactory.LiteralExpression(SyntaxKind.NumericLiteralExpression, SyntaxFactory.Literal(1)));
            default:
                return null;
        }
    }

    private static ExpressionSyntax? Step(ExpressionSyntax expression) => expression switch
    {
        PrefixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PreIncrementExpression or (int)SyntaxKind.PreDecrementExpression } prefix => prefix.Operand,
        PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.PostIncrementExpression or (int)SyntaxKind.PostDecrementExpression } postfix => postfix.Operand,
        _ => null,
    };

    private static SyntaxKind Plain(SyntaxKind compound) => compound switch
    {
        SyntaxKind.OrAssignmentExpression => SyntaxKind.BitwiseOrExpression,
        SyntaxKind.AndAssignmentExpression => SyntaxKind.BitwiseAndExpression,
        SyntaxKind.ExclusiveOrAssignmentExpression => SyntaxKind.ExclusiveOrExpression,
        SyntaxKind.AddAssignmentExpression => SyntaxKind.AddExpression,
        SyntaxKind.SubtractAssignmentExpression => SyntaxKind.SubtractExpression,
        SyntaxKind.MultiplyAssignmentExpression => SyntaxKind.MultiplyExpression,
        SyntaxKind.DivideAssignmentExpression => SyntaxKind.DivideExpression,
        SyntaxKind.ModuloAssignmentExpression => SyntaxKind.ModuloExpression,
        _ => SyntaxKind.None,
    };

    private static SyntaxKind OperatorOf(SyntaxKind plain) => plain switch
    {
        SyntaxKind.BitwiseOrExpression => SyntaxKind.BarToken,
        SyntaxKind.BitwiseAndExpression => SyntaxKind.AmpersandToken,
        SyntaxKind.ExclusiveOrExpression => SyntaxKind.CaretToken,
        SyntaxKind.AddExpression => SyntaxKind.PlusToken,
        SyntaxKind.SubtractExpression => SyntaxKind.MinusToken,
        SyntaxKind.MultiplyExpression => SyntaxKind.AsteriskToken,
        SyntaxKind.DivideExpression => SyntaxKind.SlashToken,
        SyntaxKind.ModuloExpression => SyntaxKind.PercentToken,
        _ => SyntaxKind.None,
    };
}
