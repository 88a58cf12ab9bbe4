// What somebody is still typing: sources cut short or with tokens missing, on which the analysis may be silent but must not fail.
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;
using Microsoft.CodeAnalysis.Text;
using Xunit.Abstractions;

namespace IommuRcu.Analyzers.Tests;

public sealed class RobustnessTests(ITestOutputHelper output)
{
    // Mutants of one kind in a run; IOMMURCU_MUTANTS asks for more, IOMMURCU_SEED for others.
    private static readonly int _mutants = int.TryParse(Environment.GetEnvironmentVariable("IOMMURCU_MUTANTS"), out int n) ? n : 48;
    private static readonly int _seed = int.TryParse(Environment.GetEnvironmentVariable("IOMMURCU_SEED"), out int n) ? n : Environment.TickCount;

    private static readonly CSharpParseOptions _parseOptions = new(LanguageVersion.Latest);

    private static readonly ImmutableArray<SyntaxTree> _sources = [.. Sources()];

    [Fact]
    public Task Untouched_DoesNotFail() => CheckAsync([], "as it is");

    [Fact]
    public Task CutShort_DoesNotFail() => MutateAsync((tree, random) =>
    {
        SourceText text = tree.GetText();
        int end = random.Next(text.Length);
        return (tree.WithChangedText(text.GetSubText(new TextSpan(0, end))), $"cut at {end}");
    });

    [Fact]
    public Task TokenMissing_DoesNotFail() => MutateAsync((tree, random) =>
    {
        SyntaxToken token = Pick(tree, random);
        return (Without(tree, token.Span), $"without {token} at {token.SpanStart}");
    });

    [Fact]
    public Task TokensMissing_DoesNotFail() => MutateAsync((tree, random) =>
    {
        SyntaxToken first = Pick(tree, random);
        SyntaxToken last = first;
        for (int i = random.Next(1, 12); i > 0 && !last.GetNextToken().IsKind(SyntaxKind.None); i--)
        {
            last = last.GetNextToken();
        }

        var span = TextSpan.FromBounds(first.SpanStart, last.Span.End);
        return (Without(tree, span), $"without {span}");
    });

    private static SyntaxTree Without(SyntaxTree tree, TextSpan span) => tree.WithChangedText(tree.GetText().Replace(span, ""));

    private static SyntaxToken Pick(SyntaxTree tree, Random random)
    {
        SyntaxToken[] tokens = [.. tree.GetRoot().DescendantTokens().Where(token => token.Span.Length > 0)];
        return tokens[random.Next(tokens.Length)];
    }

    private static IEnumerable<SyntaxTree> Sources()
    {
        string separator = Path.DirectorySeparatorChar.ToString();
        string[] folders = [Path.Combine("tests", "ValidCode"), Path.Combine("samples", "UndisciplinedDriver")];
        yield return CSharpSyntaxTree.ParseText(
            """
            global using System;
            global using System.Collections.Generic;
            global using System.IO;
            global using System.Linq;
            global using System.Threading;
            global using System.Threading.Tasks;
            """,
            _parseOptions,
            "Usings.cs");
        foreach (string file in folders
            .Select(folder => Path.Combine(RulePage.Repository, folder))
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Contains(separator + "obj" + separator, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal))
        {
            yield return CSharpSyntaxTree.ParseText(File.ReadAllText(file), _parseOptions, Path.GetRelativePath(RulePage.Repository, file));
        }
    }

    // Every mutant spoils a file of its own, so that one compilation judges as many as there are files.
    private async Task MutateAsync(Func<SyntaxTree, Random, (SyntaxTree Mutant, string How)> mutate)
    {
        output.WriteLine($"IOMMURCU_SEED={_seed}");
        var random = new Random(_seed);
        for (int made = 0; made < _mutants;)
        {
            var mutants = new Dictionary<SyntaxTree, SyntaxTree>();
            var how = new List<string>();
            foreach (SyntaxTree tree in _sources.Skip(1).OrderBy(_ => random.Next()).Take(Math.Min(_mutants - made, 24)))
            {
                (SyntaxTree mutant, string text) = mutate(tree, random);
                mutants.Add(tree, mutant);
                how.Add($"{tree.FilePath} {text}");
            }

            made += mutants.Count;
            await CheckAsync(mutants, string.Join("\n", how));
        }
    }

    private static async Task CheckAsync(Dictionary<SyntaxTree, SyntaxTree> mutants, string how)
    {
        ImmutableArray<MetadataReference> framework = await ReferenceAssemblies.Default.ResolveAsync(LanguageNames.CSharp, default);
        var compilation = CSharpCompilation.Create(
            "Mutants",
            _sources.Select(tree => mutants.GetValueOrDefault(tree, tree)),
            framework.Add(TestReferences.IommuRcu),
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: true));
        if (mutants.Count == 0)
        {
            Assert.Empty(compilation.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));
        }

        var failures = new List<string>();
        var options = new CompilationWithAnalyzersOptions(
            new AnalyzerOptions([]),
            (exception, _, _) => Add(failures, exception.ToString()),
            concurrentAnalysis: true,
            logAnalyzerExecutionTime: false);
        ImmutableArray<Diagnostic> reported = await compilation
            .WithAnalyzers([new RcuDisciplineAnalyzer()], options)
            .GetAnalyzerDiagnosticsAsync();
        failures.AddRange(reported
            .Where(diagnostic => diagnostic.Id.StartsWith("AD", StringComparison.Ordinal)
                || (diagnostic.Id == "IRCU095" && diagnostic.GetMessage().Contains("Exception", StringComparison.Ordinal)))
            .Select(diagnostic => diagnostic.ToString()));
        Assert.True(failures.Count == 0, $"The analysis failed:\n{string.Join("\n", failures.Distinct().Take(4))}\non\n{how}");
        ImmutableArray<Diagnostic> whole = await compilation
            .WithAnalyzers([new RcuDisciplineAnalyzer(new AnalysisSettings { ProvesFirst = false })], options)
            .GetAnalyzerDiagnosticsAsync();
        Assert.Equal(Lines(whole), Lines(reported));
        Assert.True(mutants.Count > 0 || reported.Length > 0, "Nothing was reported of the undisciplined driver.");
    }

    private static IEnumerable<string> Lines(IEnumerable<Diagnostic> diagnostics) => diagnostics.Select(static d => d.ToString()).Order(StringComparer.Ordinal);

    private static void Add(List<string> failures, string failure)
    {
        lock (failures)
        {
            failures.Add(failure);
        }
    }
}
