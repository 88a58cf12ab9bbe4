// IRCU072: update the entry by one atomic operation.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a read-modify-write of a table entry.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(NonAtomicEntryUpdateFixer))]
[Shared]
public sealed class NonAtomicEntryUpdateFixer() : RuleFixer(["IRCU072"], new AtomicUpdateRepair());
