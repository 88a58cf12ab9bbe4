// IRCU049: put the page on a gather, or free it after a grace period.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs an error path that frees a published page.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ErrorPathFreesPublishedPageFixer))]
[Shared]
public sealed class ErrorPathFreesPublishedPageFixer() : RuleFixer(["IRCU049"], new GatherInsteadRepair(), new DeferInsteadRepair());
