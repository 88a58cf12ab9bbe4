// The descriptors of the band "contracts".
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers;

public static partial class Descriptors
{
    /// <summary>IRCU090: Invalid contract attribute.</summary>
    public static DiagnosticDescriptor InvalidContract { get; } = Create(
        "IRCU090", "Invalid contract attribute", ContractsCategory, DiagnosticSeverity.Warning,
        "The contract {0} on '{1}' is invalid: {2}",
        "A contract that means nothing protects nothing.");

    /// <summary>IRCU091: Override changes the contract.</summary>
    public static DiagnosticDescriptor OverrideChangesContract { get; } = Create(
        "IRCU091", "Override changes the contract", ContractsCategory, DiagnosticSeverity.Warning,
        "'{0}' {1}, which '{2}' does not; copy the contract",
        "Callers go by the contract of the member that they see.");

    /// <summary>IRCU092: RcuUnsafe without a reason.</summary>
    public static DiagnosticDescriptor UnsafeWithoutReason { get; } = Create(
        "IRCU092", "RcuUnsafe without a reason", ContractsCategory, DiagnosticSeverity.Warning,
        "RcuUnsafe on '{0}' has no reason; say why the body is right although the analysis cannot see it",
        "An exemption nobody can judge will outlive what made it right.");

    /// <summary>IRCU093: Contract line not understood.</summary>
    public static DiagnosticDescriptor ContractLineNotUnderstood { get; } = Create(
        "IRCU093", "Contract line not understood", ContractsCategory, DiagnosticSeverity.Warning,
        "This contract line {0}",
        "A contract that silently applies to nothing protects nothing.");

    /// <summary>IRCU094: Public API hands out a protected pointer without a contract.</summary>
    public static DiagnosticDescriptor ProtectedPointerInPublicApi { get; } = Create(
        "IRCU094", "Public API hands out a protected pointer without a contract", ContractsCategory, DiagnosticSeverity.Info,
        "'{0}' hands out an RCU-protected value, but its contract does not say so; add RcuProtected",
        "Callers in other assemblies go by contracts alone.");

    /// <summary>IRCU095: Not analysed.</summary>
    public static DiagnosticDescriptor NotAnalysed { get; } = Create(
        "IRCU095", "Not analysed", ContractsCategory, DiagnosticSeverity.Info,
        "'{0}' was not analysed: {1}",
        "The analysis says so where it gives up, rather than staying silent.");
}
