// IRCU012: read the bound inside the section.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a bound sampled outside the section.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(BoundSampledOutsideSectionFixer))]
[Shared]
public sealed class BoundSampledOutsideSectionFixer() : RuleFixer(["IRCU012"], new SampleInsideRepair());
