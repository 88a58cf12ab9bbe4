// Every fix that is offered anywhere in the situations: what it writes compiles, its finding is gone, nothing else is found, no comment is lost.
using System.Collections.Immutable;
using IommuRcu.Analyzers.CodeFixes;
using IommuRcu.Analyzers.Tests.Situations;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CSharp;
using Xunit.Abstractions;

namespace IommuRcu.Analyzers.Tests.CodeFixes;

public sealed class OfferedFixesTests(ITestOutputHelper output)
{
    private const string Name = "Situation.cs";

    // The repair that leaves the section to the callers: they are told next.
    private const string PassContractOn = "IommuRcu.PassContractOn";

    // What one finding hides on the same expression, and a fix of it may show.
    private static readonly Dictionary<string, string[]> _hidden = new()
    {
        ["IRCU001"] = ["IRCU002"],
        ["IRCU041"] = ["IRCU040"],
        ["IRCU072"] = ["IRCU001", "IRCU002"],
    };

    private static readonly string _folder = Path.Combine(RulePage.Repository, "tests", "IommuRcu.Analyzers.Tests", "Situations");

    private static readonly int _language = (int)LanguageVersion.Latest.MapSpecifiedToEffectiveVersion() / 100;

    private static readonly Lazy<FixedProject> _world = new(CreateWorld);

    public static TheoryData<string> Files =>
    [
        .. Directory.EnumerateFiles(_folder, "*.txt").Select(static file => Path.GetFileNameWithoutExtension(file))
            .Where(static file => !file.EndsWith(".cs", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task EveryOffer_IsRight(string file)
    {
        var wrong = new List<string>();
        var made = new SortedDictionary<string, int>(StringComparer.Ordinal);
        List<Situation> situations = Situation.Read(File.ReadAllText(Path.Combine(_folder, file + ".txt"))).Situations;
        for (int i = 0; i < situations.Count; i++)
        {
            if (situations[i].Language > _language)
            {
                continue;
            }

            FixedProject project = _world.Value.With(Name, situations[i].Source(i));
            var keys = new HashSet<(RuleFixer, string)>();
            foreach (Diagnostic diagnostic in await project.FindAsync())
            {
                foreach ((RuleFixer fixer, CodeAction action) in await project.OffersAsync(diagnostic))
                {
                    made[diagnostic.Id] = made.GetValueOrDefault(diagnostic.Id) + 1;
                    keys.Add((fixer, action.EquivalenceKey!));
                    if (await ProblemAsync(project, await project.ApplyAsync(action), [diagnostic], action.EquivalenceKey!) is string problem)
                    {
                        wrong.Add($"{situations[i].Title}: {diagnostic.Id} '{action.Title}': {problem}");
                    }
                }
            }

            foreach ((RuleFixer fixer, string key) in keys)
            {
                ImmutableArray<Diagnostic> fixable = await OfferedAsync(project, fixer, key);
                if (fixable.Length > 1 && await ProblemAsync(project, await project.FixAllAsync(fixer, key), fixable, key) is string problem)
                {
                    wrong.Add($"{situations[i].Title}: {fixer.GetType().Name}, all {key}: {problem}");
                }
            }
        }

        output.WriteLine(string.Join(", ", made.Select(static each => $"{each.Key}: {each.Value}")));
        Assert.True(wrong.Count == 0, $"{wrong.Count} fixes are wrong:\n" + string.Join("\n\n", wrong));
    }

    private static async Task<ImmutableArray<Diagnostic>> OfferedAsync(FixedProject project, RuleFixer fixer, string key)
    {
        var offered = ImmutableArray.CreateBuilder<Diagnostic>();
        foreach (Diagnostic diagnostic in await project.FindAsync())
        {
            if ((await project.OffersAsync(diagnostic)).Exists(each => each.Fixer == fixer && each.Action.EquivalenceKey == key))
            {
                offered.Add(diagnostic);
            }
        }

        return offered.ToImmutable();
    }

    /// <summary>Says what is wrong with a fix.</summary>
    private static async Task<string?> ProblemAsync(FixedProject before, FixedProject after, ImmutableArray<Diagnostic> mended, string key)
    {
        string old = await before.TextAsync(Name);
        string text = await after.TextAsync(Name);
        string shown = "\n--- from\n" + old + "--- to\n" + text + "---";
        if (text == old)
        {
            return "changes nothing" + shown;
        }

        ImmutableArray<Diagnostic> errors = await after.ErrorsAsync();
        if (!errors.IsEmpty)
        {
            return "does not compile: " + string.Join(", ", errors.Select(static each => each.ToString())) + shown;
        }

        foreach (string comment in CommentsOf(old).Except(CommentsOf(text)))
        {
            return "loses " + comment + shown;
        }

        if (text.Contains("global::", StringComparison.Ordinal))
        {
            return "is not simplified" + shown;
        }

        // By rule: none more than before, and the mended ones fewer.
        Dictionary<string, int> left = (await before.FindAsync()).CountBy(static each => each.Id).ToDictionary();
        foreach (Diagnostic diagnostic in mended.Where(_ => key != PassContractOn))
        {
            left[diagnostic.Id]--;
        }

        foreach ((string id, int count) in (await after.FindAsync()).CountBy(static each => each.Id))
        {
            if (count > left.GetValueOrDefault(id) && !(key == PassContractOn && id is "IRCU001" or "IRCU006" or "IRCU008" or "IRCU011")
                && !mended.Any(each => _hidden.GetValueOrDefault(each.Id)?.Contains(id) == true))
            {
                return $"leaves {id}: " + (await after.FindAsync()).First(each => each.Id == id) + shown;
            }
        }

        return null;
    }

    private static IEnumerable<string> CommentsOf(string text) => CSharpSyntaxTree.ParseText(text).GetRoot().DescendantTrivia()
        .Where(static each => each.IsKind(SyntaxKind.SingleLineCommentTrivia) || each.IsKind(SyntaxKind.MultiLineCommentTrivia))
        .GroupBy(static each => each.ToString())
        .SelectMany(static same => same.Select((_, index) => $"'{same.Key}' ({index})"));

    private static FixedProject CreateWorld()
    {
        string Text(string name) => File.ReadAllText(Path.Combine(_folder, name));
        CSharpCompilation vendor = FixedProject.CompilationOf("Vendor", Text("Vendor.cs.txt"));
        return FixedProject.Create(
            [("World.cs", Text("World.cs.txt"))], [("vendor.rcucontracts", Text("vendor.rcucontracts"))], vendor.ToMetadataReference());
    }
}
