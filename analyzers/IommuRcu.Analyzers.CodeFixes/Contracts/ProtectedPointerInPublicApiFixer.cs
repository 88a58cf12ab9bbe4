// IRCU094: add the contract.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a public member that hands out a protected value.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(ProtectedPointerInPublicApiFixer))]
[Shared]
public sealed class ProtectedPointerInPublicApiFixer() : RuleFixer(["IRCU094"], new AddAttributeRepair());
