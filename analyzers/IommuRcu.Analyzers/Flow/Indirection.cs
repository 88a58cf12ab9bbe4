// Pointers that are followed: the compiler has no operation of its own for *p, p->f and p[i].
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Finds the pointers that are followed.</summary>
internal static class Indirection
{
    /// <summary>Gets the pointer that an operation follows.</summary>
    /// <param name="operation">The operation: <c>*p</c>, <c>p[i]</c>, or the object that <c>p->f</c> is a member of.</param>
    /// <returns>The pointer; none for everything else.</returns>
    public static IOperation? PointerOf(IOperation? operation)
    {
        if (operation is not { Kind: OperationKind.None })
        {
            return null;
        }

        foreach (IOperation first in operation.ChildOperations)
        {
            return first.Type is { TypeKind: TypeKind.Pointer } ? first : null;
        }

        return null;
    }

    /// <summary>Gets the pointer whose object an operation is the member of.</summary>
    /// <param name="operation">The object: <c>*p</c> of <c>p->f</c> or <c>(*p).f</c>. An element is not the object that the pointer names.</param>
    /// <returns>The pointer; none for everything else.</returns>
    public static IOperation? PointerToObject(IOperation operation)
        => operation.ChildOperations.Count == 1
            && (operation.Parent is IMemberReferenceOperation member && ReferenceEquals(member.Instance, operation)
                || operation.Parent is IInvocationOperation call && ReferenceEquals(call.Instance, operation))
            ? PointerOf(operation)
            : null;

    /// <summary>Gets the pointer that an address, or a span, was computed from: it is valid as long as the pointer is.</summary>
    /// <param name="operation">The address.</param>
    /// <returns>The pointer; none for everything else.</returns>
    public static IOperation? BaseOf(IOperation operation) => operation switch
    {
        IBinaryOperation { Type.TypeKind: TypeKind.Pointer, OperatorMethod: null } sum => sum.LeftOperand.Type is { TypeKind: TypeKind.Pointer } ? sum.LeftOperand : sum.RightOperand,
        IAddressOfOperation { Reference: IFieldReferenceOperation { Instance: { } instance } } => PointerOf(instance),
        IAddressOfOperation address => PointerOf(address.Reference),
        IObjectCreationOperation { Arguments: { Length: 2 } arguments, Type: var type } when IsSpan(type) => arguments[0].Value,
        IInvocationOperation { TargetMethod: { Name: "Slice", ContainingType: var type }, Instance: { } whole } when IsSpan(type) => whole,
        IConversionOperation { OperatorMethod.ContainingType: { } type, Operand: var span } when IsSpan(type) => span,
        _ => null,
    };

    private static bool IsSpan(ITypeSymbol? type) => type is INamedTypeSymbol { IsRefLikeType: true, Name: "Span" or "ReadOnlySpan" } span && KnownMembers.IsSystem(span);
}
