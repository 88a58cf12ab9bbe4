// IRCU040: put the page on a gather, or free it after a grace period.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a free that bypasses the grace period.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(DirectFreeFixer))]
[Shared]
public sealed class DirectFreeFixer() : RuleFixer(["IRCU040"], new GatherInsteadRepair(), new DeferInsteadRepair());
