// What a test compiles (sources, other files, references, further projects) and the diagnostics it expects there.
namespace Microsoft.CodeAnalysis.Testing;

public enum MarkupMode
{
    None,
    Ignore,
    IgnoreFixable,
    Allow,
}

[Flags]
public enum MarkupOptions
{
    None = 0,
    UseFirstDescriptor = 1,
    TreatPositionIndicatorsAsCode = 2,
}

public enum StateInheritanceMode
{
    AutoInherit,
    Explicit,
    AutoInheritAll,
}

public class ProjectState(string name, string language, string defaultPrefix, string defaultExtension)
{
    public string Name { get; } = name;

    public string AssemblyName => Name;

    public string Language { get; } = language;

    public OutputKind? OutputKind { get; set; }

    public SourceFileList Sources { get; } = new(defaultPrefix, defaultExtension);

    public SourceFileCollection AdditionalFiles { get; } = [];

    public SourceFileCollection AnalyzerConfigFiles { get; } = [];

    public MetadataReferenceCollection AdditionalReferences { get; } = [];

    public List<string> AdditionalProjectReferences { get; } = [];
}

public class ProjectCollection(string defaultLanguage, string defaultExtension) : Dictionary<string, ProjectState>
{
    public new ProjectState this[string name]
    {
        get
        {
            if (!TryGetValue(name, out ProjectState? state))
            {
                state = new ProjectState(name, defaultLanguage, $"/{name}/Test", defaultExtension);
                Add(name, state);
            }

            return state;
        }
    }
}

public class SolutionState(string name, string language, string defaultPrefix, string defaultExtension)
    : ProjectState(name, language, defaultPrefix, defaultExtension)
{
    public ProjectCollection AdditionalProjects { get; } = new(language, defaultExtension);

    public List<DiagnosticResult> ExpectedDiagnostics { get; } = [];

    public StateInheritanceMode? InheritanceMode { get; set; }

    public MarkupMode MarkupHandling { get; set; } = MarkupMode.Allow;
}
