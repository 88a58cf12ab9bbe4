// IRCU041: sync the gather first.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a page that is retired before its flush.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RetiredBeforeFlushFixer))]
[Shared]
public sealed class RetiredBeforeFlushFixer() : RuleFixer(["IRCU041"], new SyncFirstRepair());
