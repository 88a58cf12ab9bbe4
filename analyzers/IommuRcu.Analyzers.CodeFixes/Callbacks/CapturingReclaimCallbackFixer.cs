// IRCU061: make the callback static.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a reclaim callback that captures.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(CapturingReclaimCallbackFixer))]
[Shared]
public sealed class CapturingReclaimCallbackFixer() : RuleFixer(["IRCU061"], new StaticCallbackRepair());
