// IRCU045: hold the gather in a using, or sync it in a finally.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a gather that is not synced on every path.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(GatherNeverSyncedFixer))]
[Shared]
public sealed class GatherNeverSyncedFixer() : RuleFixer(["IRCU045"], new HoldGatherRepair());
