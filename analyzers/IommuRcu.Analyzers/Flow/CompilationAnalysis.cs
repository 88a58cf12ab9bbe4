// What one compilation's analysis shares: contracts, options, rules.
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Rules;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace IommuRcu.Analyzers.Flow;

/// <summary>The analysis of one compilation. Safe for any number of threads.</summary>
internal sealed class CompilationAnalysis
{
    private readonly ConcurrentDictionary<ISymbol, bool> _publishable = new(SymbolEqualityComparer.Default);
    private readonly ConcurrentDictionary<ISymbol, bool> _taking = new(SymbolEqualityComparer.Default);

    public CompilationAnalysis(ContractMap map, AnalyzerOptions options, AnalysisSettings settings)
    {
        Map = map;
        Options = options;
        Settings = settings;
        Rules = settings.Rules.Where(r => r.Descriptors.Any(IsOn)).ToImmutableArray();
        WatchesAllocations = Rules.Any(static r => r.WatchesAllocations);
    }

    /// <summary>Gets the rules that are on anywhere: one that is off by default costs nothing until somebody asks for it.</summary>
    public ImmutableArray<Rule> Rules { get; }

    /// <summary>Gets whether a rule that is on wants to hear of allocations.</summary>
    public bool WatchesAllocations { get; }

    public ContractMap Map { get; }

    public AnalyzerOptions Options { get; }

    public AnalysisSettings Settings { get; }

    /// <summary>Tells whether a member was checked by hand.</summary>
    /// <param name="member">The member.</param>
    /// <returns>Whether it, its property or a type around it is RcuUnsafe, or the guard type's own.</returns>
    public bool IsExempt(ISymbol member)
    {
        for (ISymbol? symbol = member; symbol is not null and not INamespaceSymbol; symbol = symbol.ContainingSymbol)
        {
            MemberContracts contracts = Map.Of(symbol);
            if ((contracts.SelfWords & ContractWord.RcuUnsafe) != 0
                || (symbol is INamedTypeSymbol && (contracts.SelfWords & ContractWord.ReadLockScope) != 0)
                || (symbol is IMethodSymbol { AssociatedSymbol: { } associated } && (Map.Of(associated).SelfWords & ContractWord.RcuUnsafe) != 0))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Tells whether objects of a type can be published: one of its members is protected, or needs the writer lock.</summary>
    /// <param name="type">The type.</param>
    /// <returns>Whether they can.</returns>
    public bool IsPublishable(INamedTypeSymbol type)
        => _publishable.GetOrAdd(type.OriginalDefinition, t => t is INamedTypeSymbol named
            && named.GetMembers().Any(m => m is IFieldSymbol or IPropertySymbol && ((Map.Of(m).ResultWords & ContractWord.RcuProtected) != 0 || (Map.Of(m).SelfWords & ContractWord.RequiresWriterLock) != 0)));

    /// <summary>Tells whether objects of a type take pages to retire, or callbacks to run after a grace period.</summary>
    /// <param name="type">The type.</param>
    /// <returns>Whether they do.</returns>
    public bool TakesRetired(INamedTypeSymbol type)
        => Map.CanHaveContracts(type.ContainingAssembly) && _taking.GetOrAdd(type.OriginalDefinition, t =>
        {
            for (INamedTypeSymbol? named = (INamedTypeSymbol)t; named is { SpecialType: SpecialType.None }; named = named.BaseType)
            {
                if (named.GetMembers().Any(m => m is IMethodSymbol { IsStatic: false } && (Map.Of(m).ParameterWords & (ContractWord.Retires | ContractWord.RunsAfterGracePeriod)) != 0))
                {
                    return Map.OnType((INamedTypeSymbol)t).IsEmpty;
                }
            }

            return false;
        });

    /// <summary>Makes the listeners of one type's analysis.</summary>
    /// <param name="findings">Where they report to.</param>
    /// <returns>The rules.</returns>
    public IReadOnlyList<FlowListener> Listeners(Findings findings) => Rules.Select(r => (FlowListener)r.ListenTo(findings)).ToList();

    // Whether it is reported is for the compiler to say, file by file; here it matters only where it is off everywhere.
    private bool IsOn(DiagnosticDescriptor rule)
    {
        if (rule.IsEnabledByDefault)
        {
            return true;
        }

        CompilationOptions options = Map.Compilation.Options;
        return (options.SpecificDiagnosticOptions.TryGetValue(rule.Id, out ReportDiagnostic asked) && IsOn(asked))
            || (options.SyntaxTreeOptionsProvider is { } provider
                && ((provider.TryGetGlobalDiagnosticValue(rule.Id, default, out asked) && IsOn(asked))
                    || Map.Compilation.SyntaxTrees.Any(t => provider.TryGetDiagnosticValue(t, rule.Id, default, out ReportDiagnostic here) && IsOn(here))));
    }

    private static bool IsOn(ReportDiagnostic asked) => asked is not (ReportDiagnostic.Suppress or ReportDiagnostic.Default);
}
