// Spells members, types and expressions for messages.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>The names that messages use.</summary>
internal static class Names
{
    private static readonly SymbolDisplayFormat _member = new(
        memberOptions: SymbolDisplayMemberOptions.IncludeContainingType,
        miscellaneousOptions: SymbolDisplayMiscellaneousOptions.UseSpecialTypes);

    /// <summary>Names a member by its type and name.</summary>
    /// <param name="symbol">The member.</param>
    /// <returns>The name.</returns>
    public static string Of(ISymbol symbol) => symbol switch
    {
        IMethodSymbol { MethodKind: MethodKind.AnonymousFunction } => "lambda",
        IMethodSymbol { MethodKind: MethodKind.Constructor or MethodKind.StaticConstructor } constructor => constructor.ContainingType.Name,
        IMethodSymbol { AssociatedSymbol: { } associated } => Of(associated),
        IMethodSymbol { MethodKind: MethodKind.LocalFunction } local => local.Name,
        ITypeSymbol type => type.Name,
        _ => symbol.ToDisplayString(_member),
    };

    /// <summary>Quotes an expression, shortened.</summary>
    /// <param name="operation">The expression.</param>
    /// <returns>Its text on one line.</returns>
    public static string Of(IOperation? operation)
    {
        string text = Unwrap(operation) switch
        {
            null => "?",
            IInstanceReferenceOperation => "this",
            { } op => op.Syntax.ToString(),
        };
        int line = text.IndexOf('\n');
        text = line >= 0 ? text.Substring(0, line).TrimEnd() + "..." : text;
        return text.Length > 60 ? text.Substring(0, 57) + "..." : text;
    }

    /// <summary>Names what an operation calls.</summary>
    /// <param name="operation">The operation.</param>
    /// <returns>The method's name; of anything else, its text.</returns>
    public static string OfCall(IOperation? operation) => (operation as IInvocationOperation)?.TargetMethod.Name ?? Of(operation);

    /// <summary>Takes conversions and parentheses away.</summary>
    /// <param name="operation">The expression.</param>
    /// <returns>What is converted.</returns>
    public static IOperation? Unwrap(IOperation? operation)
    {
        while (true)
        {
            switch (operation?.Kind)
            {
                case OperationKind.Conversion when ((IConversionOperation)operation) is { OperatorMethod: null } conversion:
                    operation = conversion.Operand;
                    break;
                case OperationKind.Parenthesized:
                    operation = ((IParenthesizedOperation)operation).Operand;
                    break;
                case OperationKind.Argument:
                    operation = ((IArgumentOperation)operation).Value;
                    break;
                case OperationKind.DelegateCreation:
                    operation = ((IDelegateCreationOperation)operation).Target;
                    break;
                default:
                    return operation;
            }
        }
    }
}
