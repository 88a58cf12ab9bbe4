// IRCU064: wait for the queued callbacks first.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a pool that is disposed before its callbacks ran.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(DisposedWithoutBarrierFixer))]
[Shared]
public sealed class DisposedWithoutBarrierFixer() : RuleFixer(["IRCU064"], new WaitBeforeDisposalRepair());
