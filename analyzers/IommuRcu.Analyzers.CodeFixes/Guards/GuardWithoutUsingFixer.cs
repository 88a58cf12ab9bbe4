// IRCU031: hold the guard in a using.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a guard that is disposed by hand.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(GuardWithoutUsingFixer))]
[Shared]
public sealed class GuardWithoutUsingFixer() : RuleFixer(["IRCU031"], new CloseAlwaysRepair());
