// IRCU006: put the contract on the helper, and so up the chain.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a helper that needs a section and does not say so.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ContractNotPassedOnFixer))]
[Shared]
public sealed class ContractNotPassedOnFixer() : RuleFixer(["IRCU006"], new PassContractOnRepair());
