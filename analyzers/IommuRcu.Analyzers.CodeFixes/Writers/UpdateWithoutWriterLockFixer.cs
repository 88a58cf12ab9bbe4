// IRCU070: take the writer lock around the update.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs an update without the writer lock.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(UpdateWithoutWriterLockFixer))]
[Shared]
public sealed class UpdateWithoutWriterLockFixer() : RuleFixer(["IRCU070"], new WrapInLockRepair());
