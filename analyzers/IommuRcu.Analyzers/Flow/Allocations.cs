// Knows which operations allocate memory on the managed heap.
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Allocations that the code itself makes; what a method that it calls allocates is not known.</summary>
internal static class Allocations
{
    /// <summary>Says what an operation allocates, apart from what it is made of.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="member">The member that it stands in.</param>
    /// <returns>What it is, for messages, or none.</returns>
    public static string? Of(IOperation operation, MemberAnalysis member) => Kind(operation, member) is { } what && !IsThrown(operation.Syntax) ? what : null;

    private static string? Kind(IOperation operation, MemberAnalysis member) => operation switch
    {
        IObjectCreationOperation { Type: { IsReferenceType: true } type } => "a new '" + type.Name + "'",
        IAnonymousObjectCreationOperation => "an object",
        IArrayCreationOperation array when !IsEmpty(array) && !IsData(array) => array.IsImplicit ? "an array for the arguments" : "an array",
        IConversionOperation { OperatorMethod: null, Type.IsReferenceType: true, Operand.Type: { IsValueType: true } boxed } conversion when !IsOfGuard(conversion) && !IsOfFlag(conversion) => "a box for a '" + boxed.Name + "'",
        IDelegateCreationOperation { Target: IFlowAnonymousFunctionOperation lambda } when member.CapturesThis(lambda.Symbol) || member.CapturesOf(lambda.Symbol).Any() => "a closure",
        IDelegateCreationOperation { Target: IMethodReferenceOperation { Method.IsStatic: false } } => "a delegate",
        IBinaryOperation { OperatorKind: BinaryOperatorKind.Add, Type.SpecialType: SpecialType.System_String } text when !IsPart(text) => "a string",
        ICompoundAssignmentOperation { OperatorKind: BinaryOperatorKind.Add, Type.SpecialType: SpecialType.System_String } => "a string",
        IInterpolatedStringOperation { Type.SpecialType: SpecialType.System_String } text when text.Parts.Any(static p => p is IInterpolationOperation) && !IsPart(text) => "a string",
        _ => null,
    };

    // Several texts added up are one call.
    private static bool IsPart(IOperation text)
        => text.Parent is IBinaryOperation { OperatorKind: BinaryOperatorKind.Add, Type.SpecialType: SpecialType.System_String, ConstantValue.HasValue: false }
            or ICompoundAssignmentOperation { OperatorKind: BinaryOperatorKind.Add, Type.SpecialType: SpecialType.System_String };

    // No arguments are one array for all.
    private static bool IsEmpty(IArrayCreationOperation array) => array.IsImplicit && array.DimensionSizes.All(static s => s.ConstantValue is { HasValue: true, Value: 0 });

    // Constants that are looked at through a span are part of the program.
    private static bool IsData(IArrayCreationOperation array)
        => array.Parent is IConversionOperation { Type.Name: "ReadOnlySpan" } && array.Initializer is { } initializer && initializer.ElementValues.All(static e => e.ConstantValue.HasValue);

    // A using disposes of a struct through its interface, but makes no box for it.
    private static bool IsOfGuard(IConversionOperation conversion) => conversion.IsImplicit && conversion.Type is { Name: "IDisposable" or "IAsyncDisposable" };

    // The compiler at run time knows the question by heart.
    private static bool IsOfFlag(IConversionOperation conversion)
        => conversion.Parent is IArgumentOperation { Parent: IInvocationOperation { TargetMethod: { Name: "HasFlag", ContainingType.SpecialType: SpecialType.System_Enum } } };

    // Whoever throws has other worries.
    private static bool IsThrown(SyntaxNode syntax)
    {
        for (SyntaxNode? node = syntax; node is ExpressionSyntax or ArgumentSyntax or ArgumentListSyntax or InterpolationSyntax or ThrowStatementSyntax or InitializerExpressionSyntax; node = node.Parent)
        {
            if (node is ThrowStatementSyntax or ThrowExpressionSyntax)
            {
                return true;
            }
        }

        return false;
    }
}
