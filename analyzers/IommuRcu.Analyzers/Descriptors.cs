// Builds every rule's descriptor: the one place that knows ids, categories and help links.
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers;

/// <summary>The descriptors of all rules, a band a file.</summary>
public static partial class Descriptors
{
    /// <summary>The folder of the rules' pages; a rule's help link is this and its id.</summary>
    public const string HelpFolder = "https://github.com/IommuRcu/IommuRcu/blob/main/analyzers/docs/";

    private const string Walks = "IommuRcu.Walks";
    private const string Blocking = "IommuRcu.Blocking";
    private const string Guards = "IommuRcu.Guards";
    private const string Reclaim = "IommuRcu.Reclaim";
    private const string Callbacks = "IommuRcu.Callbacks";
    private const string Writers = "IommuRcu.Writers";
    private const string ContractsCategory = "IommuRcu.Contracts";

    private static DiagnosticDescriptor Create(
        string id, string title, string category, DiagnosticSeverity severity, string message, string description, bool isEnabledByDefault = true)
        => new(id, title, message, category, severity, isEnabledByDefault, description, HelpFolder + id + ".md");
}
