// IRCU073: name what the test has read, and use that.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a protected pointer that is read twice.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(PointerReadTwiceFixer))]
[Shared]
public sealed class PointerReadTwiceFixer() : RuleFixer(["IRCU073"], new ReadOnceRepair());
