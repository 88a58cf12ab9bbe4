// All fixes on the sample of mistakes, one after the other as dotnet format makes them: what has a fix is gone, and nothing else came.
using System.Collections.Immutable;
using IommuRcu.Analyzers.CodeFixes;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeFixes;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public class UndisciplinedDriverFixTests
{
    private const string Usings =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly string _folder = Path.Combine(RulePage.Repository, "samples", "UndisciplinedDriver");

    [Theory]
    [InlineData(FixAllScope.Document)]
    [InlineData(FixAllScope.Project)]
    [InlineData(FixAllScope.Solution)]
    public async Task AllFixes_LeaveOnlyRulesWithoutOne(FixAllScope scope)
    {
        FixedProject project = Driver();
        ImmutableHashSet<string> fixable = [.. FixedProject.Fixers.SelectMany(static fixer => fixer.FixableDiagnosticIds)];
        string[] before = [.. (await project.FindAsync()).Select(static each => each.Id).Distinct()];
        foreach (RuleFixer fixer in FixedProject.Fixers)
        {
            project = await project.FixAllAsync(fixer, null, scope);
        }

        Assert.Empty(await project.ErrorsAsync());
        ImmutableArray<Diagnostic> after = await project.FindAsync();
        string left = string.Join('\n', after.Where(each => fixable.Contains(each.Id)));
        Assert.True(left.Length == 0, left);
        Assert.Equal(
            before.Where(each => !fixable.Contains(each)).Order(StringComparer.Ordinal),
            after.Select(static each => each.Id).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task EveryRuleWithAFix_IsBrokenThere()
    {
        HashSet<string> broken = [.. (await Driver().FindAsync()).Select(static each => each.Id)];
        HashSet<string> known = [.. new RcuDisciplineAnalyzer().SupportedDiagnostics.Select(static each => each.Id)];
        string[] missing = [.. FixedProject.Fixers.SelectMany(static fixer => fixer.FixableDiagnosticIds).Where(id => known.Contains(id) && !broken.Contains(id))];
        Assert.Empty(missing);
    }

    private static FixedProject Driver()
    {
        FixedProject project = FixedProject.Create([("Usings.cs", Usings)], []);
        foreach (string file in Directory.EnumerateFiles(_folder, "*.cs").Order(StringComparer.Ordinal))
        {
            project = project.With(Path.GetFileName(file), File.ReadAllText(file));
        }

        return project;
    }
}
