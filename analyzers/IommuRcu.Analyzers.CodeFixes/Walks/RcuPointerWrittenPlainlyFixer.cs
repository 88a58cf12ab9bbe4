// IRCU003: publish with Rcu.Assign.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a plain write of an RCU pointer.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(RcuPointerWrittenPlainlyFixer))]
[Shared]
public sealed class RcuPointerWrittenPlainlyFixer() : RuleFixer(["IRCU003"], new AccessorRepair(isWrite: true));
