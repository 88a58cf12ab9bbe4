// IRCU039: close the section in a using or finally.
using System.Composition;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.CodeFixes;

/// <summary>Repairs a section that an exception leaves open.</summary>
[ExportCodeFixProvider(LanguageNames.CSharp, Name = nameof(SectionNotClosedIfCallThrowsFixer))]
[Shared]
public sealed class SectionNotClosedIfCallThrowsFixer() : RuleFixer(["IRCU039"], new CloseAlwaysRepair());
