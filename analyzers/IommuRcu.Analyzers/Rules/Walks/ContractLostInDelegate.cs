// IRCU011: a method whose contract its delegate does not tell of.
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Rules.Walks;

/// <summary>Reports delegates that hide what their target needs.</summary>
internal sealed class ContractLostInDelegate : Rule
{
    private static readonly (ContractWord Word, string Name)[] _needs =
    {
        (ContractWord.RequiresReadLock, "RequiresReadLock"),
        (ContractWord.RequiresWriterLock, "RequiresWriterLock"),
        (ContractWord.RunsAfterGracePeriod, "RunsAfterGracePeriod"),
    };

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> Descriptors { get; } = ImmutableArray.Create(Analyzers.Descriptors.ContractLostInDelegate);

    /// <inheritdoc/>
    public override void MakeDelegate(FlowPoint point, IMethodSymbol method, IMethodSymbol? invoke, BodyRole role)
    {
        if (role == BodyRole.Synchronous)
        {
            return;
        }

        ContractWord told = invoke is null ? ContractWord.None : point.Body.Map.Of(invoke).SelfWords;
        if (role == BodyRole.Callback)
        {
            told |= ContractWord.RunsAfterGracePeriod;
        }

        ContractWord lost = point.Body.Map.Of(method).SelfWords & ~told;
        foreach ((ContractWord word, string name) in _needs)
        {
            if ((lost & word) != 0)
            {
                string type = point.Operation.Type?.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat) ?? "function pointer";
                Report(point.Operation, null, null, method.Name, name, type);
                return;
            }
        }
    }
}
