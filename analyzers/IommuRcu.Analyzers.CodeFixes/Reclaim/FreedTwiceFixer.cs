// IRCU043: remove the second free.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a page that is freed or retired twice.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(FreedTwiceFixer))]
[Shared]
public sealed class FreedTwiceFixer() : RuleFixer(["IRCU043"], new RemoveStatementRepair("Remove it", "IommuRcu.RemoveFree"));
