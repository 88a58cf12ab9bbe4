// Whether what a call returns is thrown away on the spot.
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Rules.Guards;

/// <summary>Tells what becomes of a result.</summary>
internal static class Discards
{
    /// <summary>Tells whether nobody can look at what a call returns.</summary>
    /// <param name="operation">The call.</param>
    /// <returns>Whether it is an expression statement, or assigned to a discard.</returns>
    public static bool IsDiscarded(IOperation operation)
    {
        IOperation? parent = operation.Parent;
        while (parent is IConversionOperation or IParenthesizedOperation or IAwaitOperation)
        {
            parent = parent.Parent;
        }

        return parent is IExpressionStatementOperation or ISimpleAssignmentOperation { Target: IDiscardOperation };
    }
}
