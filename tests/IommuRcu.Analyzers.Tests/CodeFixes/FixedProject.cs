// A project in a workspace, with all rules and all code fixes: what is reported in it, what is offered, and what becomes of it.
using System.Collections.Immutable;
using IommuRcu.Analyzers.CodeFixes;
using IommuRcu.Annotations;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Host.Mef;
using Microsoft.CodeAnalysis.Text;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

/// <summary>A version of a project. A fix gives another version; nothing changes in place.</summary>
internal sealed class FixedProject
{
    private static readonly Lazy<MefHostServices> _services = new(static () => MefHostServices.DefaultHost);

    private static readonly ImmutableArray<MetadataReference> _framework =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(static path => Path.GetFileName(path) is var name
                && (name.StartsWith("System.", StringComparison.Ordinal) || name is "Microsoft.CSharp.dll" or "mscorlib.dll" or "netstandard.dll"))
            .Select(static path => MetadataReference.CreateFromFile(path)),
        MetadataReference.CreateFromFile(typeof(RequiresReadLockAttribute).Assembly.Location),
    ];

    private readonly Project _project;
    private readonly ImmutableHashSet<string> _tested;
    private ImmutableArray<Diagnostic> _found;

    private FixedProject(Project project, ImmutableHashSet<string> tested)
    {
        _project = project;
        _tested = tested;
    }

    private IEnumerable<Document> Tested =>
        _project.Documents.Where(each => _tested.Contains(each.Name)).OrderBy(static each => each.Name, StringComparer.Ordinal);

    /// <summary>Gets a fixer of every kind that the product has.</summary>
    internal static ImmutableArray<RuleFixer> Fixers { get; } =
    [
        .. typeof(RuleFixer).Assembly.GetTypes().Where(static type => type.IsSubclassOf(typeof(RuleFixer)))
            .OrderBy(static type => type.Name, StringComparer.Ordinal).Select(static type => (RuleFixer)Activator.CreateInstance(type)!),
    ];

    /// <summary>Makes a project of sources that are right, and contract files.</summary>
    internal static FixedProject Create(
        IEnumerable<(string Name, string Text)> sources, IEnumerable<(string Name, string Text)> contracts, params MetadataReference[] references)
    {
        var id = ProjectId.CreateNewId();
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true);
        var info = ProjectInfo.Create(
            id,
            VersionStamp.Default,
            "Fixed",
            "Fixed",
            LanguageNames.CSharp,
            compilationOptions: options,
            parseOptions: new CSharpParseOptions(LanguageVersion.Latest),
            metadataReferences: _framework.Concat(references));
        Solution solution = new AdhocWorkspace(_services.Value).CurrentSolution.AddProject(info);
        foreach ((string name, string text) in sources)
        {
            solution = solution.AddDocument(DocumentId.CreateNewId(id), name, SourceText.From(text), filePath: name);
        }

        foreach ((string name, string text) in contracts)
        {
            solution = solution.AddAdditionalDocument(DocumentId.CreateNewId(id), name, SourceText.From(text), filePath: name);
        }

        return new FixedProject(solution.GetProject(id)!, []);
    }

    /// <summary>Makes a library that a project can use.</summary>
    internal static CSharpCompilation CompilationOf(string name, string source) => CSharpCompilation.Create(
        name,
        [CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Latest))],
        _framework,
        new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, allowUnsafe: true));

    /// <summary>Adds a source that is to be fixed.</summary>
    internal FixedProject With(string name, string text) =>
        new(_project.AddDocument(name, SourceText.From(text), filePath: name).Project, _tested.Add(name));

    /// <summary>Tells whether no document is another one.</summary>
    internal bool IsSameAs(FixedProject other) =>
        _project.Documents.All(each => ReferenceEquals(each, other._project.GetDocument(each.Id)) || !other._project.GetChanges(_project).GetChangedDocuments().Any());

    /// <summary>Gets the text of a source.</summary>
    internal async Task<string> TextAsync(string name) =>
        (await _project.Documents.Single(each => each.Name == name).GetTextAsync()).ToString();

    /// <summary>Gets the errors of the compiler in the sources that are to be fixed.</summary>
    internal async Task<ImmutableArray<Diagnostic>> ErrorsAsync()
    {
        var errors = ImmutableArray.CreateBuilder<Diagnostic>();
        foreach (Document document in Tested)
        {
            SemanticModel model = (await document.GetSemanticModelAsync())!;
            errors.AddRange(model.GetDiagnostics().Where(static each => each.Severity == DiagnosticSeverity.Error));
        }

        return errors.ToImmutable();
    }

    /// <summary>Runs all rules on the sources that are to be fixed.</summary>
    internal async Task<ImmutableArray<Diagnostic>> FindAsync()
    {
        if (_found.IsDefault)
        {
            Compilation compilation = (await _project.GetCompilationAsync())!;
            var analyzer = new RcuDisciplineAnalyzer(new AnalysisSettings { ThrowsOnInternalError = true });

            // All at once, as a build does.
            ImmutableArray<Diagnostic> all = await compilation.WithAnalyzers([analyzer], _project.AnalyzerOptions).GetAnalyzerDiagnosticsAsync();
            var found = ImmutableArray.CreateBuilder<Diagnostic>();
            foreach (Document document in Tested)
            {
                SyntaxTree tree = (await document.GetSyntaxTreeAsync())!;
                found.AddRange(all.Where(each => each.Location.SourceTree == tree).OrderBy(static each => each.Location.SourceSpan.Start));
            }

            _found = found.ToImmutable();
        }

        return _found;
    }

    /// <summary>Gets what the fixers offer for a diagnostic.</summary>
    internal async Task<List<(RuleFixer Fixer, CodeAction Action)>> OffersAsync(Diagnostic diagnostic)
    {
        var offers = new List<(RuleFixer, CodeAction)>();
        Document document = _project.GetDocument(diagnostic.Location.SourceTree)!;
        foreach (RuleFixer fixer in Fixers.Where(each => each.FixableDiagnosticIds.Contains(diagnostic.Id)))
        {
            await fixer.RegisterCodeFixesAsync(
                new CodeFixContext(document, diagnostic, (action, _) => offers.Add((fixer, action)), CancellationToken.None));
        }

        return offers;
    }

    /// <summary>Applies one offer.</summary>
    internal async Task<FixedProject> ApplyAsync(CodeAction action)
    {
        ImmutableArray<CodeActionOperation> operations = await action.GetOperationsAsync(CancellationToken.None);
        Solution changed = operations.OfType<ApplyChangesOperation>().Single().ChangedSolution;
        return await new FixedProject(changed.GetProject(_project.Id)!, _tested).ParsedAsync(_project);
    }

    /// <summary>Applies one fixer to everything that is found, by its preferred repairs or by those of one key.</summary>
    internal async Task<FixedProject> FixAllAsync(RuleFixer fixer, string? key, FixAllScope scope = FixAllScope.Project)
    {
        ImmutableArray<Diagnostic> found = [.. (await FindAsync()).Where(each => fixer.FixableDiagnosticIds.Contains(each.Id))];
        FixedProject current = this;
        foreach (string first in found.Select(static each => each.Location.SourceTree!.FilePath).Distinct())
        {
            Document document = current._project.Documents.Single(each => each.FilePath == first);
            var context = new FixAllContext(
                document, fixer, scope, key, fixer.FixableDiagnosticIds, new Known(await current.FindAsync(), fixer), CancellationToken.None);
            if (await fixer.GetFixAllProvider().GetFixAsync(context) is CodeAction all)
            {
                current = await current.ApplyAsync(all);
            }

            if (scope != FixAllScope.Document)
            {
                break;
            }
        }

        return current;
    }

    // A fix builds trees; what counts is what their text means.
    private async Task<FixedProject> ParsedAsync(Project before)
    {
        Solution solution = _project.Solution;
        foreach (DocumentId id in _project.GetChanges(before).GetChangedDocuments())
        {
            solution = solution.WithDocumentText(id, SourceText.From((await _project.GetDocument(id)!.GetTextAsync()).ToString()));
        }

        return new FixedProject(solution.GetProject(_project.Id)!, _tested);
    }

    private sealed class Known(ImmutableArray<Diagnostic> all, RuleFixer fixer) : FixAllContext.DiagnosticProvider
    {
        private readonly ImmutableArray<Diagnostic> _found = [.. all.Where(each => fixer.FixableDiagnosticIds.Contains(each.Id))];

        public override Task<IEnumerable<Diagnostic>> GetAllDiagnosticsAsync(Project project, CancellationToken cancellationToken) =>
            Task.FromResult<IEnumerable<Diagnostic>>(_found);

        public override Task<IEnumerable<Diagnostic>> GetDocumentDiagnosticsAsync(Document document, CancellationToken cancellationToken) =>
            Task.FromResult(_found.Where(each => each.Location.SourceTree!.FilePath == document.FilePath));

        public override Task<IEnumerable<Diagnostic>> GetProjectDiagnosticsAsync(Project project, CancellationToken cancellationToken) =>
            Task.FromResult<IEnumerable<Diagnostic>>([]);
    }
}
