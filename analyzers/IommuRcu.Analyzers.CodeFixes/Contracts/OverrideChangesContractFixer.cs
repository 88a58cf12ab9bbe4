// IRCU091: copy the contract to the base member.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs an override that changes the contract.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(OverrideChangesContractFixer))]
[Shared]
public sealed class OverrideChangesContractFixer() : RuleFixer(["IRCU091"], new CopyToBaseRepair());
