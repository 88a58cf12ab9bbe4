// The one analyzer the compiler sees: it shares contracts and flow analysis among the rules.
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using IommuRcu.Analyzers.Rules;
using IommuRcu.Analyzers.Rules.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace IommuRcu.Analyzers;

/// <summary>Hosts all rules: reads the contracts of a compilation once, leaves at once where there are none, and analyses each body once for all rules.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class RcuDisciplineAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = RuleCatalog.Descriptors;

    /// <summary>Gets or sets whether an error of the analysis itself is thrown: for its own tests.</summary>
    internal static bool ThrowsOnInternalError { get; set; }

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(static start =>
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

            new BodyFinder(new CompilationAnalysis(map, start.Options)).Register(start);
            start.RegisterSymbolAction(
                c => ContractChecks.Check(c.Symbol, map, c.ReportDiagnostic),
                SymbolKind.NamedType,
                SymbolKind.Method,
                SymbolKind.Property,
                SymbolKind.Field);
        });
    }
}
