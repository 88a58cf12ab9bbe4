// IRCU032: remove the exit too many.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a section that is closed twice.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SectionClosedTwiceFixer))]
[Shared]
public sealed class SectionClosedTwiceFixer() : RuleFixer(["IRCU032"], new RemoveStatementRepair("Remove it", "IommuRcu.RemoveExit"));
