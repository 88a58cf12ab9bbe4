// IRCU034: pass the guard or gather by reference.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a guard or gather that is passed by value.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(GuardCopiedFixer))]
[Shared]
public sealed class GuardCopiedFixer() : RuleFixer(["IRCU034"], new PassByReferenceRepair());
