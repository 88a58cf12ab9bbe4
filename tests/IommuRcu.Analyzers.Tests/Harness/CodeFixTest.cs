// Applies a code fix one diagnostic at a time, then by FixAll in document, project and solution, and compares each result.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.Text;

namespace Microsoft.CodeAnalysis.Testing;

public abstract class CodeFixTest<TVerifier> : AnalyzerTest<TVerifier>
    where TVerifier : IVerifier, new()
{
    protected CodeFixTest()
    {
        FixedState = new SolutionState(DefaultTestProjectName, Language, DefaultFilePathPrefix, DefaultFileExt);
        BatchFixedState = new SolutionState(DefaultTestProjectName, Language, DefaultFilePathPrefix, DefaultFileExt);
    }

    public string FixedCode
    {
        set
        {
            if (value is not null)
            {
                FixedState.Sources.Add(value);
            }
        }
    }

    public string BatchFixedCode
    {
        set
        {
            if (value is not null)
            {
                BatchFixedState.Sources.Add(value);
            }
        }
    }

    public SolutionState FixedState { get; }

    public SolutionState BatchFixedState { get; }

    public int? CodeActionIndex { get; set; }

    public string? CodeActionEquivalenceKey { get; set; }

    public Action<CodeAction, IVerifier>? CodeActionVerifier { get; set; }

    public CodeActionValidationMode CodeActionValidationMode { get; set; } = CodeActionValidationMode.SemanticStructure;

    public CodeFixTestBehaviors CodeFixTestBehaviors { get; set; }

    public Func<ImmutableArray<Diagnostic>, Diagnostic?>? DiagnosticSelector { get; set; }

    public int? NumberOfIncrementalIterations { get; set; }

    public int? NumberOfFixAllIterations { get; set; }

    public int? NumberOfFixAllInDocumentIterations { get; set; }

    public int? NumberOfFixAllInProjectIterations { get; set; }

    protected abstract IEnumerable<CodeFixProvider> GetCodeFixProviders();

    protected override async Task RunImplAsync(CancellationToken cancellationToken)
    {
        IVerifier verifier = new TVerifier();
        EvaluatedState before = Evaluate(TestState);
        EvaluatedState after = Evaluate(Inherit(FixedState, TestState));
        bool hasBatch = BatchFixedState.Sources.Count != 0 || BatchFixedState.AdditionalFiles.Count != 0;
        EvaluatedState batch = hasBatch ? Evaluate(Inherit(BatchFixedState, TestState)) : after;

        await VerifyStateAsync(before, verifier.PushContext("Diagnostics of test state"), cancellationToken);
        await VerifyStateAsync(after, verifier.PushContext("Diagnostics of fixed state"), cancellationToken);
        if (hasBatch)
        {
            await VerifyStateAsync(batch, verifier.PushContext("Diagnostics of batch fixed state"), cancellationToken);
        }

        // Local fixes need an upper bound only; FixAll must be done in one go unless the test says otherwise.
        int perDocument = TestState.Sources.Count;
        await RunFixesAsync(
            before, after, null, NumberOfIncrementalIterations ?? -(before.Expected.Length + 1), verifier, cancellationToken);
        if (CodeFixTestBehaviors.HasFlag(CodeFixTestBehaviors.FixOne))
        {
            return;
        }

        if (!CodeFixTestBehaviors.HasFlag(CodeFixTestBehaviors.SkipFixAllInDocumentCheck))
        {
            int bound = NumberOfFixAllInDocumentIterations ?? NumberOfFixAllIterations ?? -perDocument;
            await RunFixesAsync(before, batch, FixAllScope.Document, bound, verifier, cancellationToken);
        }

        if (!CodeFixTestBehaviors.HasFlag(CodeFixTestBehaviors.SkipFixAllInProjectCheck))
        {
            int bound = NumberOfFixAllInProjectIterations ?? NumberOfFixAllIterations ?? -(1 + TestState.AdditionalProjects.Count);
            await RunFixesAsync(before, batch, FixAllScope.Project, bound, verifier, cancellationToken);
        }

        if (!CodeFixTestBehaviors.HasFlag(CodeFixTestBehaviors.SkipFixAllInSolutionCheck))
        {
            await RunFixesAsync(before, batch, FixAllScope.Solution, NumberOfFixAllIterations ?? -1, verifier, cancellationToken);
        }
    }

    private SolutionState Inherit(SolutionState state, SolutionState from)
    {
        var merged = new SolutionState(state.Name, state.Language, DefaultFilePathPrefix, DefaultFileExt);
        merged.OutputKind = state.OutputKind ?? from.OutputKind;
        bool unchanged = state.Sources.Count == 0;
        merged.MarkupHandling = unchanged ? from.MarkupHandling : state.MarkupHandling;
        merged.Sources.AddRange(unchanged ? from.Sources : state.Sources);
        merged.AdditionalFiles.AddRange(state.AdditionalFiles.Count == 0 ? from.AdditionalFiles : state.AdditionalFiles);
        merged.AnalyzerConfigFiles.AddRange(state.AnalyzerConfigFiles.Count == 0 ? from.AnalyzerConfigFiles : state.AnalyzerConfigFiles);
        merged.AdditionalReferences.AddRange(
            state.AdditionalReferences.Count == 0 ? from.AdditionalReferences : state.AdditionalReferences);
        merged.AdditionalProjectReferences.AddRange(from.AdditionalProjectReferences);
        foreach ((string name, ProjectState project) in from.AdditionalProjects)
        {
            merged.AdditionalProjects.Add(name, project);
        }

        merged.ExpectedDiagnostics.AddRange(unchanged ? from.ExpectedDiagnostics : state.ExpectedDiagnostics);
        return merged;
    }

    // Fixes until nothing is left to fix; a positive limit is the exact number of rounds, a negative one the most there may be.
    private async Task RunFixesAsync(
        EvaluatedState before, EvaluatedState after, FixAllScope? scope, int limit, IVerifier verifier, CancellationToken cancellationToken)
    {
        verifier = verifier.PushContext(scope is null ? "Iterative code fix application" : $"Fix all in {scope}");
        Project project = await CreateProjectAsync(before, cancellationToken);
        int rounds = 0;
        while (true)
        {
            Project? changed = await FixOnceAsync(project, scope, verifier, cancellationToken);
            if (changed is null)
            {
                break;
            }

            project = changed;
            rounds++;
            verifier.True(
                rounds <= Math.Max(Math.Abs(limit), 1), $"The fix was still offered after {rounds} rounds:\n{await Print(project)}");
            if (CodeFixTestBehaviors.HasFlag(CodeFixTestBehaviors.FixOne))
            {
                break;
            }
        }

        if (limit > 0)
        {
            verifier.Equal(limit, rounds, "The number of rounds differs.");
        }

        await VerifySourcesAsync(project, after, verifier, cancellationToken);
    }

    private async Task<Project?> FixOnceAsync(Project project, FixAllScope? scope, IVerifier verifier, CancellationToken cancellationToken)
    {
        ImmutableArray<Diagnostic> diagnostics = await GetDiagnosticsAsync(project.Solution, cancellationToken);
        ImmutableArray<CodeFixProvider> providers = [.. GetCodeFixProviders()];
        if (DiagnosticSelector is not null)
        {
            diagnostics = DiagnosticSelector(
                [.. diagnostics.Where(each => providers.Any(provider => provider.FixableDiagnosticIds.Contains(each.Id)))])
                is Diagnostic chosen ? [chosen] : [];
        }

        foreach (Diagnostic diagnostic in diagnostics)
        {
            foreach (CodeFixProvider provider in providers.Where(each => each.FixableDiagnosticIds.Contains(diagnostic.Id)))
            {
                if (project.Solution.GetDocument(diagnostic.Location.SourceTree) is not Document document
                    || await ChooseActionAsync(document, diagnostic, provider, cancellationToken) is not CodeAction action)
                {
                    continue;
                }

                CodeActionVerifier?.Invoke(action, verifier);
                if (scope is FixAllScope wide)
                {
                    FixAllProvider? all = provider.GetFixAllProvider();
                    verifier.True(all is not null, $"{provider.GetType().Name} has no FixAll.");
                    verifier.True(all.GetSupportedFixAllScopes().Contains(wide), $"{provider.GetType().Name} has no FixAll in {wide}.");
                    IEnumerable<string> ids = provider.FixableDiagnosticIds;
                    var source = new TestDiagnosticProvider(this, diagnostics);
                    var context = new FixAllContext(document, provider, wide, action.EquivalenceKey, ids, source, cancellationToken);
                    CodeAction? combined = await all.GetFixAsync(context);
                    verifier.True(combined is not null, "FixAll offers nothing.");
                    action = combined;
                }

                return await ApplyAsync(project, action, verifier, cancellationToken);
            }
        }

        return null;
    }

    private async Task<CodeAction?> ChooseActionAsync(
        Document document, Diagnostic diagnostic, CodeFixProvider provider, CancellationToken cancellationToken)
    {
        var offered = new List<CodeAction>();
        var context = new CodeFixContext(document, diagnostic, (action, _) => offered.Add(action), cancellationToken);
        await provider.RegisterCodeFixesAsync(context);
        List<CodeAction> flat = [.. offered.SelectMany(Flatten)];
        if (CodeActionEquivalenceKey is not null)
        {
            flat = [.. flat.Where(action => action.EquivalenceKey == CodeActionEquivalenceKey)];
        }

        return flat.ElementAtOrDefault(CodeActionIndex ?? 0);

        static IEnumerable<CodeAction> Flatten(CodeAction action) =>
            action.NestedActions.IsEmpty ? [action] : action.NestedActions.SelectMany(Flatten);
    }

    private async Task<Project> ApplyAsync(Project project, CodeAction action, IVerifier verifier, CancellationToken cancellationToken)
    {
        ImmutableArray<CodeActionOperation> operations = await action.GetOperationsAsync(cancellationToken);
        Solution solution = operations.OfType<ApplyChangesOperation>().Single().ChangedSolution;
        Project changed = solution.GetProject(project.Id)!;
        if (CodeActionValidationMode != CodeActionValidationMode.None)
        {
            foreach (Document document in changed.Documents)
            {
                // A tree that was built must be the tree that its own text parses to.
                SyntaxTree tree = (await document.GetSyntaxTreeAsync(cancellationToken))!;
                SourceText text = await document.GetTextAsync(cancellationToken);
                SyntaxTree parsed = CSharp.CSharpSyntaxTree.ParseText(text, (CSharp.CSharpParseOptions)CreateParseOptions());
                if (Difference(await tree.GetRootAsync(cancellationToken), await parsed.GetRootAsync(cancellationToken)) is string difference)
                {
                    verifier.Fail($"The fix built a tree that its own text does not parse to ({difference}):\n{text}");
                }
            }
        }

        return changed;
    }

    private static string? Difference(SyntaxNodeOrToken built, SyntaxNodeOrToken parsed)
    {
        if (built.RawKind != parsed.RawKind || built.ToString() != parsed.ToString())
        {
            return $"'{built}', a {built.RawKind}, is parsed as '{parsed}', a {parsed.RawKind}";
        }

        ChildSyntaxList left = built.ChildNodesAndTokens();
        ChildSyntaxList right = parsed.ChildNodesAndTokens();
        return left.Count != right.Count
            ? $"'{built}' has {left.Count} parts, and is parsed into {right.Count}"
            : left.Zip(right, Difference).FirstOrDefault(each => each is not null);
    }

    private static async Task VerifySourcesAsync(
        Project project, EvaluatedState expected, IVerifier verifier, CancellationToken cancellationToken)
    {
        List<TextDocument> documents = [.. project.Documents, .. project.AdditionalDocuments];
        verifier.Equal(expected.Sources.Length + expected.AdditionalFiles.Length, documents.Count, "The number of documents differs.");
        foreach ((string name, SourceText content) in expected.Sources.Concat(expected.AdditionalFiles))
        {
            TextDocument? document = documents.Find(each => (each.FilePath ?? each.Name) == name);
            verifier.True(document is not null, $"There is no document '{name}'.");
            string actual = (await document.GetTextAsync(cancellationToken)).ToString();
            if (actual != content.ToString())
            {
                verifier.Fail($"The content of '{name}' differs.\n--- expected\n{content}\n--- actual\n{actual}\n---");
            }
        }
    }

    private static async Task<string> Print(Project project)
    {
        IEnumerable<Task<SourceText>> texts = project.Documents.Select(document => document.GetTextAsync());
        return string.Join("\n---\n", (await Task.WhenAll(texts)).Select(text => text.ToString()));
    }

    // Hands FixAll the diagnostics that the analyzers gave for the solution it starts from.
    private sealed class TestDiagnosticProvider(CodeFixTest<TVerifier> test, ImmutableArray<Diagnostic> known)
        : FixAllContext.DiagnosticProvider
    {
        public override async Task<IEnumerable<Diagnostic>> GetAllDiagnosticsAsync(Project project, CancellationToken cancellationToken)
        {
            IEnumerable<Diagnostic> own = await InDocumentsOf(project, cancellationToken);
            return own.Concat(await GetProjectDiagnosticsAsync(project, cancellationToken));
        }

        public override async Task<IEnumerable<Diagnostic>> GetDocumentDiagnosticsAsync(
            Document document, CancellationToken cancellationToken)
        {
            SyntaxTree? tree = await document.GetSyntaxTreeAsync(cancellationToken);
            return known.Where(diagnostic => diagnostic.Location.SourceTree?.FilePath == tree?.FilePath && IsFixable(diagnostic));
        }

        public override Task<IEnumerable<Diagnostic>> GetProjectDiagnosticsAsync(Project project, CancellationToken cancellationToken) =>
            Task.FromResult(known.Where(diagnostic => diagnostic.Location.SourceTree is null && IsFixable(diagnostic)));

        private bool IsFixable(Diagnostic diagnostic) =>
            test.GetCodeFixProviders().Any(fix => fix.FixableDiagnosticIds.Contains(diagnostic.Id));

        private async Task<IEnumerable<Diagnostic>> InDocumentsOf(Project project, CancellationToken cancellationToken)
        {
            var all = new List<Diagnostic>();
            foreach (Document document in project.Documents)
            {
                all.AddRange(await GetDocumentDiagnosticsAsync(document, cancellationToken));
            }

            return all;
        }
    }
}
