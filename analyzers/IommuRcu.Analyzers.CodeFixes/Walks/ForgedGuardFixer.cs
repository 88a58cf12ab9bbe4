// IRCU009: call the method that opens a section.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a forged guard.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ForgedGuardFixer))]
[Shared]
public sealed class ForgedGuardFixer() : RuleFixer(["IRCU009"], new OpenInsteadOfForgingRepair());
