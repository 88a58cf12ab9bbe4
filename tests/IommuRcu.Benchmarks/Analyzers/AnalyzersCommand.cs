// What the analyzers cost on 100,000 lines: beside the compiler on the same code, with and without contracts, and each rule by itself.
using System.Collections.Immutable;
using System.CommandLine;
using System.Diagnostics;
using System.Runtime;
using IommuRcu.Analyzers;
using IommuRcu.Analyzers.Rules;
using IommuRcu.Benchmarks.Reporting;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Spectre.Console;
using Rule = IommuRcu.Analyzers.Rules.Rule;

namespace IommuRcu.Benchmarks.Analyzers;

internal static class AnalyzersCommand
{
    private static readonly ImmutableArray<MetadataReference> _framework =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(static p => Path.GetFileName(p).StartsWith("System.", StringComparison.Ordinal))
            .Select(static p => MetadataReference.CreateFromFile(p)),
    ];

    private static readonly MetadataReference _runtime = MetadataReference.CreateFromFile(typeof(Rcu).Assembly.Location);

    public static Command Create()
    {
        var json = new Option<FileInfo?>("--json") { Description = "Also write the rows as a JSON array to this file." };
        var lines = new Option<int>("--lines") { Description = "The size of the generated code base, in lines.", DefaultValueFactory = _ => 100_000 };
        var rounds = new Option<int>("--rounds") { Description = "How often each code base is compiled and analysed; the fastest counts.", DefaultValueFactory = _ => 5 };
        var only = new Option<string?>("--only") { Description = "Measure only the code base whose name begins so." };
        var rules = new Option<bool>("--rules") { Description = "Also measure each rule by itself." };
        var command = new Command("analyzers", "Measures the analyzers on generated code, beside the compiler on the same code.") { json, lines, rounds, only, rules };
        command.SetAction(parsed => Run(parsed.GetValue(json), parsed.GetValue(lines), parsed.GetValue(rounds), parsed.GetValue(only), parsed.GetValue(rules)));
        return command;
    }

    private static void Run(FileInfo? json, int lines, int rounds, string? only, bool eachRule)
    {
        var rows = new List<Row>();
        Table table = new Table().AddColumns("code", "lines", "compiler s", "analyzers s", "% of compiler", "s for 100,000 lines");
        foreach ((string name, bool references, int disciplined) in new[]
        {
            ("no reference", false, 0),
            ("referenced, no contracts", true, 0),
            ("contracts in 1 method of 10", true, 10),
            ("contracts in every method", true, 100),
        })
        {
            if (only is not null && !name.StartsWith(only, StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            Row row = Measure(name, Compile(lines, references, disciplined), static () => new RcuDisciplineAnalyzer(), rounds);
            rows.Add(row);
            table.AddRow(row.Name, $"{row.Lines:N0}", $"{row.CompilerSeconds:F2}", $"{row.Seconds:F3}", $"{100 * row.Seconds / row.CompilerSeconds:F2}", $"{row.Seconds * 100_000 / row.Lines:F3}");
        }

        AnsiConsole.Write(table);
        AnsiConsole.WriteLine(GCSettings.IsServerGC
            ? "The server collector, which the compiler runs with."
            : "The workstation collector. The compiler runs with the server one: set DOTNET_gcServer=1 for times like its own.");
        if (eachRule)
        {
            CSharpCompilation code = Compile(lines, references: true, disciplined: 10);
            Table each = new Table().AddColumns("rule", "analyzers s");
            Row engine = Measure("engine alone", code, static () => new RcuDisciplineAnalyzer(new AnalysisSettings { Rules = [] }), rounds);
            rows.Add(engine);
            each.AddRow(engine.Name, $"{engine.Seconds:F3}");
            foreach (Rule rule in RuleCatalog.All)
            {
                Row row = Measure(rule.GetType().Name, code, () => new RcuDisciplineAnalyzer(new AnalysisSettings { Rules = [rule] }), rounds);
                rows.Add(row);
                each.AddRow(row.Name, $"{row.Seconds:F3}");
            }

            AnsiConsole.Write(each);
        }

        JsonRows.Write(json, rows);
    }

    private static CSharpCompilation Compile(int lines, bool references, int disciplined)
    {
        var options = new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, concurrentBuild: false, nullableContextOptions: NullableContextOptions.Enable);
        CSharpCompilation compilation = CSharpCompilation.Create("Generated", options: options)
            .AddReferences(references ? _framework.Add(_runtime) : _framework)
            .AddSyntaxTrees(GeneratedCode.Files(lines, disciplined).Select(static (f, i) => CSharpSyntaxTree.ParseText(f, path: $"File{i}.cs")));
        Diagnostic? error = compilation.GetDiagnostics().FirstOrDefault(static d => d.Severity == DiagnosticSeverity.Error);
        return error is null ? compilation : throw new InvalidOperationException($"The generated code does not compile: {error}");
    }

    private static Row Measure(string name, CSharpCompilation code, Func<DiagnosticAnalyzer> make, int rounds)
    {
        double compiler = double.MaxValue;
        double analysis = double.MaxValue;
        int lines = code.SyntaxTrees.Sum(static t => t.GetText().Lines.Count);
        for (int round = 0; round < rounds; round++)
        {
            long began = Stopwatch.GetTimestamp();
            if (!code.Clone().Emit(Stream.Null).Success)
            {
                throw new InvalidOperationException("The generated code does not compile.");
            }

            compiler = Math.Min(compiler, Stopwatch.GetElapsedTime(began).TotalSeconds);
            DiagnosticAnalyzer analyzer = make();
            var options = new CompilationWithAnalyzersOptions(new AnalyzerOptions([]), onAnalyzerException: null, concurrentAnalysis: false, logAnalyzerExecutionTime: true);
            CompilationWithAnalyzers host = code.Clone().WithAnalyzers([analyzer], options);
            ImmutableArray<Diagnostic> found = host.GetAnalyzerDiagnosticsAsync().GetAwaiter().GetResult();
            if (found.Length > 0)
            {
                throw new InvalidOperationException($"{found.Length} diagnostics on correct code: {found[0]}");
            }

            analysis = Math.Min(analysis, host.GetAnalyzerTelemetryInfoAsync(analyzer, default).GetAwaiter().GetResult().ExecutionTime.TotalSeconds);
        }

        return new Row(name, lines, compiler, analysis);
    }

    /// <summary>One measurement.</summary>
    /// <param name="Name">The code base, or the rule.</param>
    /// <param name="Lines">The lines of the code base.</param>
    /// <param name="CompilerSeconds">What the compiler takes to check the code and emit it, without analyzers.</param>
    /// <param name="Seconds">What the analyzers take, as the compiler's own report of analyzer times counts it.</param>
    private sealed record Row(string Name, int Lines, double CompilerSeconds, double Seconds);
}
