// A call in one shape, be it of a method, a constructor or an accessor.
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A call.</summary>
/// <param name="Operation">The call itself.</param>
/// <param name="Method">What is called.</param>
/// <param name="Instance">The receiver; none for static methods and constructors.</param>
/// <param name="Arguments">The arguments.</param>
/// <param name="Contracts">The contracts of what is called.</param>
internal sealed record CallSite(
    IOperation Operation, IMethodSymbol Method, IOperation? Instance, ImmutableArray<IArgumentOperation> Arguments, MemberContracts Contracts)
{
    /// <summary>Gets the name for messages.</summary>
    public string Name => Names.Of(Method);

    /// <summary>Finds the argument of a parameter.</summary>
    /// <param name="ordinal">The parameter's position.</param>
    /// <returns>The argument, or none.</returns>
    public IArgumentOperation? Argument(int ordinal)
    {
        foreach (IArgumentOperation argument in Arguments)
        {
            if (argument.Parameter?.Ordinal == ordinal)
            {
                return argument;
            }
        }

        return null;
    }

    /// <summary>Finds the argument of a parameter by name.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <returns>The argument, or none.</returns>
    public IArgumentOperation? Argument(string name)
    {
        foreach (IArgumentOperation argument in Arguments)
        {
            if (argument.Parameter?.Name == name)
            {
                return argument;
            }
        }

        return null;
    }
}
