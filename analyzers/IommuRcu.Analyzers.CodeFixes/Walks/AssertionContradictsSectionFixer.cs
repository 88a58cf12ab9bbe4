// IRCU010: remove the assertion that cannot hold.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs an assertion that contradicts the section state.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(AssertionContradictsSectionFixer))]
[Shared]
public sealed class AssertionContradictsSectionFixer() : RuleFixer(
    ["IRCU010"], new RemoveStatementRepair("Remove the assertion", "IommuRcu.RemoveAssertion"));
