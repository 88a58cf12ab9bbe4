// IRCU033: close the section in a using or finally.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a section that some path leaves open.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SectionNotClosedFixer))]
[Shared]
public sealed class SectionNotClosedFixer() : RuleFixer(["IRCU033"], new CloseAlwaysRepair());
