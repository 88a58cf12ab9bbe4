// IRCU051: move the wait behind the loop.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a grace-period wait for every item of a loop.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(WaitForEveryItemFixer))]
[Shared]
public sealed class WaitForEveryItemFixer() : RuleFixer(["IRCU051"], new WaitBehindLoopRepair());
