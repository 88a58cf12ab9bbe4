// What the rules found in one type: each mistake once, and the gravest where several rules see the same one.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Collects diagnostics until the type is analysed. Not safe for several threads.</summary>
internal sealed class Findings
{
    // On one expression, the first of these that is reported stands for the others.
    private static readonly string[][] _sameMistake =
    {
        new[] { "IRCU009", "IRCU001" },
        new[] { "IRCU001", "IRCU007", "IRCU008", "IRCU006", "IRCU002" },
        new[] { "IRCU032", "IRCU031" },
        new[] { "IRCU030", "IRCU038", "IRCU037", "IRCU035", "IRCU033", "IRCU031", "IRCU039" },
        new[] { "IRCU020", "IRCU022", "IRCU060", "IRCU027", "IRCU051" },
        new[] { "IRCU043", "IRCU041", "IRCU042", "IRCU040", "IRCU044" },
        new[] { "IRCU072", "IRCU003", "IRCU001", "IRCU002" },
        new[] { "IRCU044", "IRCU005", "IRCU004" },
        new[] { "IRCU036", "IRCU034", "IRCU004" },
        new[] { "IRCU036", "IRCU034", "IRCU035" },
        new[] { "IRCU036", "IRCU025" },
        new[] { "IRCU004", "IRCU094" },
        new[] { "IRCU060", "IRCU022" },
    };

    private readonly Dictionary<(string Id, Location Location), Diagnostic> _found = new();
    private readonly Dictionary<ISymbol, HelperCalls> _helpers = new(SymbolEqualityComparer.Default);
    private readonly AnalyzerOptions _options;

    public Findings(AnalyzerOptions options) => _options = options;

    /// <summary>Gets the locks that grace periods have to do with.</summary>
    public LockOrder Locks { get; } = new();

    /// <summary>Gets whether there is nothing to report, whatever the callers of helpers turn out to do.</summary>
    public bool IsSilent => _found.Count == 0 && Locks.IsEmpty && _helpers.Values.All(static h => h.Outside.Count == 0 && h.Needs.Count == 0);

    /// <summary>Takes over what silent findings know of the helpers that were called.</summary>
    /// <param name="silent">The findings.</param>
    public void Adopt(Findings silent)
    {
        foreach (KeyValuePair<ISymbol, HelperCalls> helper in silent._helpers)
        {
            Helper(helper.Key).AnyInside |= helper.Value.AnyInside;
        }
    }

    /// <summary>Reports a diagnostic.</summary>
    public void Report(DiagnosticDescriptor descriptor, Location location, IEnumerable<IOperation?>? related, ImmutableDictionary<string, string?>? properties, params object?[] arguments)
        => Report(descriptor, location, related?.Where(static o => o is not null).Select(static o => o!.Syntax.GetLocation()).ToList(), properties, arguments);

    /// <summary>Reports a diagnostic that points to other places besides.</summary>
    public void Report(DiagnosticDescriptor descriptor, Location location, IEnumerable<Location>? additional, ImmutableDictionary<string, string?>? properties, params object?[] arguments)
    {
        if (!_found.ContainsKey((descriptor.Id, location)))
        {
            _found.Add((descriptor.Id, location), Diagnostic.Create(descriptor, location, additional, properties, arguments));
        }
    }

    /// <summary>Says that a body was not analysed.</summary>
    /// <param name="body">The body.</param>
    /// <param name="reason">Why.</param>
    public void GiveUp(BodyRecord body, string reason)
        => Report(Descriptors.NotAnalysed, body.Owner.Locations.FirstOrDefault() ?? body.Root.Syntax.GetLocation(), (IEnumerable<Location>?)null, null, Names.Of(body.Owner), reason);

    /// <summary>Notes that a helper whose need was inferred is called inside a section.</summary>
    /// <param name="helper">The helper.</param>
    public void HelperCalledInside(IMethodSymbol helper) => Helper(helper).AnyInside = true;

    /// <summary>Notes that a helper whose need was inferred is called outside of any section.</summary>
    /// <param name="helper">The helper.</param>
    /// <param name="call">The call.</param>
    /// <param name="report">Reports it, if all calls turn out to be outside.</param>
    public void HelperCalledOutside(IMethodSymbol helper, IOperation call, System.Action report) => Helper(helper).Outside.Add((call, report));

    /// <summary>Notes where a helper needs a section.</summary>
    /// <param name="helper">The helper.</param>
    /// <param name="report">Reports it, if the helper's callers differ; is given the calls outside.</param>
    public void HelperNeed(ISymbol helper, System.Action<IEnumerable<IOperation>> report) => Helper(helper).Needs.Add(report);

    /// <summary>Reports all that was found.</summary>
    /// <param name="report">Receives the diagnostics.</param>
    public void Complete(System.Action<Diagnostic> report)
    {
        foreach (HelperCalls calls in _helpers.Values)
        {
            if (calls.AnyInside && calls.Outside.Count > 0 && calls.Needs.Count > 0)
            {
                calls.Needs.ForEach(need => need(calls.Outside.Select(static o => o.Call)));
            }
            else
            {
                calls.Outside.ForEach(static outside => outside.Report());
            }
        }

        Locks.Complete();
        foreach (IGrouping<(string, int), Diagnostic> line in _found.Values.GroupBy(static d => (d.Location.SourceTree?.FilePath ?? string.Empty, d.Location.GetLineSpan().StartLinePosition.Line)))
        {
            foreach (Diagnostic diagnostic in line)
            {
                if (!_sameMistake.Any(group => IsSecond(diagnostic, line, group)))
                {
                    report(diagnostic);
                }
            }
        }
    }

    /// <summary>Tells whether short locks are allowed inside sections.</summary>
    /// <param name="tree">The file.</param>
    /// <returns>Whether <c>iommurcu.lock_in_section = allow</c> holds for it.</returns>
    public bool AllowsLocks(SyntaxTree tree)
        => _options.AnalyzerConfigOptionsProvider.GetOptions(tree).TryGetValue("iommurcu.lock_in_section", out string? value)
            && string.Equals(value, "allow", System.StringComparison.OrdinalIgnoreCase);

    private static bool IsSecond(Diagnostic diagnostic, IEnumerable<Diagnostic> line, string[] group)
    {
        int rank = System.Array.IndexOf(group, diagnostic.Id);
        return rank > 0 && line.Any(other => System.Array.IndexOf(group, other.Id) is var first && first >= 0 && first < rank && other.Location.SourceSpan.OverlapsWith(diagnostic.Location.SourceSpan));
    }

    private HelperCalls Helper(ISymbol helper)
    {
        if (!_helpers.TryGetValue(helper, out HelperCalls? calls))
        {
            _helpers.Add(helper, calls = new HelperCalls());
        }

        return calls;
    }

    private sealed class HelperCalls
    {
        public bool AnyInside { get; set; }

        public List<(IOperation Call, System.Action Report)> Outside { get; } = new();

        public List<System.Action<IEnumerable<IOperation>>> Needs { get; } = new();
    }
}
