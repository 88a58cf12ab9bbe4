// The one analyzer the compiler sees: it shares contracts and flow analysis among the rules.
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using IommuRcu.Analyzers.Rules;
using IommuRcu.Analyzers.Rules.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers;

/// <summary>Hosts all rules: reads the contracts of a compilation once, leaves at once where there are none, and analyses each body once for all rules.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class RcuDisciplineAnalyzer : DiagnosticAnalyzer
{
    private readonly AnalysisSettings _settings;

    /// <summary>Initializes a new instance of the <see cref="RcuDisciplineAnalyzer"/> class.</summary>
    public RcuDisciplineAnalyzer()
        : this(AnalysisSettings.Shipped)
    {
    }

    /// <summary>Initializes a new instance of the <see cref="RcuDisciplineAnalyzer"/> class that is set up otherwise, for tests and benchmarks.</summary>
    /// <param name="settings">How.</param>
    internal RcuDisciplineAnalyzer(AnalysisSettings settings) => _settings = settings;

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = RuleCatalog.Descriptors;

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        AnalysisSettings settings = _settings;
        context.RegisterCompilationStartAction(start =>
        {
            ContractFiles files = ContractFiles.Read(start.Compilation, start.Options.AdditionalFiles, start.CancellationToken);
            if (files.Problems.Count > 0)
            {
                start.RegisterAdditionalFileAction(file => files.Problems.ForEach(p =>
                {
                    if (p.Path == file.AdditionalFile.Path)
                    {
                        file.ReportDiagnostic(Diagnostic.Create(Descriptors.ContractLineNotUnderstood, p.Location, p.Problem));
                    }
                }));
            }

            if (ContractMap.Create(start.Compilation, files.Contracts) is not { } map)
            {
                return;
            }

            new BodyFinder(new CompilationAnalysis(map, start.Options, settings)).Register(start);
            start.RegisterOperationAction(
                c => ContractChecks.Check(c.Operation is ILocalFunctionOperation local ? local.Symbol : ((IAnonymousFunctionOperation)c.Operation).Symbol, map, c.ReportDiagnostic),
                OperationKind.LocalFunction,
                OperationKind.AnonymousFunction);
            start.RegisterSymbolAction(
                c => ContractChecks.Check(c.Symbol, map, c.ReportDiagnostic),
                SymbolKind.NamedType,
                SymbolKind.Method,
                SymbolKind.Property,
                SymbolKind.Field);
        });
    }
}
