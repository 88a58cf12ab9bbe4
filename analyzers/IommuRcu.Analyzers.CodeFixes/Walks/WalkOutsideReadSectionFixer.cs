// IRCU001: open a section around the walk, or leave it to the callers by contract.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a walk outside a read-side section.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(WalkOutsideReadSectionFixer))]
[Shared]
public sealed class WalkOutsideReadSectionFixer() : RuleFixer(["IRCU001"], new WrapInSectionRepair(), new PassContractOnRepair());
