// IRCU002: read an RCU pointer with Rcu.Dereference.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a plain read of an RCU pointer.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RcuPointerReadPlainlyFixer))]
[Shared]
public sealed class RcuPointerReadPlainlyFixer() : RuleFixer(["IRCU002"], new AccessorRepair(isWrite: false));
