// IRCU030: hold the discarded guard in a using.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a discarded guard.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(GuardDiscardedFixer))]
[Shared]
public sealed class GuardDiscardedFixer() : RuleFixer(["IRCU030"], new HoldGuardRepair());
