// IRCU037: remove the section.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a section that protects nothing more.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RedundantSectionFixer))]
[Shared]
public sealed class RedundantSectionFixer() : RuleFixer(["IRCU037"], new RemoveSectionRepair());
