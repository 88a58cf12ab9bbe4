// IRCU020: move the wait behind the section that it ends.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a grace-period wait inside a section.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(GracePeriodWaitInSectionFixer))]
[Shared]
public sealed class GracePeriodWaitInSectionFixer() : RuleFixer(["IRCU020"], new WaitAfterSectionRepair());
