// Which of the checks that every test makes are left out, and which diagnostics of the compiler count.
namespace Microsoft.CodeAnalysis.Testing;

[Flags]
public enum TestBehaviors
{
    None = 0,
    SkipSuppressionCheck = 1,
    SkipGeneratedCodeCheck = 2,
    SkipGeneratedSourcesCheck = 4,
}

[Flags]
public enum CodeFixTestBehaviors
{
    None = 0,
    SkipFixAllInDocumentCheck = 1,
    SkipFixAllInProjectCheck = 2,
    SkipFixAllInSolutionCheck = 4,
    SkipFixAllCheck = SkipFixAllInDocumentCheck | SkipFixAllInProjectCheck | SkipFixAllInSolutionCheck,
    FixOne = 8,
    SkipLocalDiagnosticCheck = 16,
}

public enum CodeActionValidationMode
{
    None = 0,
    SemanticStructure = 1,
    Full = 2,
}

public enum CompilerDiagnostics
{
    None = 0,
    Errors = 1,
    Warnings = 2,
    Suggestions = 3,
    All = 4,
}
