// IRCU008: open a section of its own around the walk.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a walk whose section is open on some paths only.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SectionOpenOnSomePathsOnlyFixer))]
[Shared]
public sealed class SectionOpenOnSomePathsOnlyFixer() : RuleFixer(["IRCU008"], new WrapInSectionRepair());
