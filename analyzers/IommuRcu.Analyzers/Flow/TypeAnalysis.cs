// All bodies of one type: private helpers get their needs from them, and their callers answer.
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace IommuRcu.Analyzers.Flow;

/// <summary>A body seen by the compiler.</summary>
/// <param name="Owner">The member.</param>
/// <param name="Root">The body's root operation.</param>
/// <param name="IsInteresting">Whether it touches anything with a contract.</param>
/// <param name="Calls">The private members of the type that it calls.</param>
internal sealed record BodyRecord(ISymbol Owner, IOperation Root, bool IsInteresting, IReadOnlyCollection<IMethodSymbol> Calls)
{
    private MemberGraphs? _graphs;

    /// <summary>Gets the body's graphs, made at the first call.</summary>
    /// <param name="map">The contracts.</param>
    /// <param name="cancellation">Cancels it.</param>
    /// <returns>The graphs.</returns>
    public MemberGraphs Graphs(ContractMap map, CancellationToken cancellation) => _graphs ??= new MemberGraphs(map, Root, cancellation);
}

/// <summary>The analysis of one outermost type. Bodies may be added from several threads; the rest runs on one.</summary>
internal sealed class TypeAnalysis
{
    private readonly ConcurrentBag<BodyRecord> _bodies = new();
    private readonly ConcurrentDictionary<ISymbol, BodyRole> _otherUses = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<ISymbol, IReadOnlyList<InferredNeed>> _needs = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<(ISymbol Method, int Ordinal), bool> _syncing = new(LentComparer.Instance);
    private readonly CompilationAnalysis _compilation;

    private readonly ValueTable _tableOfProofs = new();
    private IReadOnlyList<FlowListener>? _silence;
    private Findings? _silent;

    public TypeAnalysis(CompilationAnalysis compilation) => _compilation = compilation;

    public ContractMap Map => _compilation.Map;

    /// <summary>Gets what the compilation's configuration says.</summary>
    public CompilationAnalysis Compilation => _compilation;

    /// <summary>Gets what is known of the type's methods that cannot throw.</summary>
    public Throwing Throwing { get; } = new();

    /// <summary>Gets the one symbol that stands for a method: its definition, of a partial one the defining part.</summary>
    /// <param name="method">The method.</param>
    /// <returns>The symbol.</returns>
    public static IMethodSymbol Definition(IMethodSymbol method) => (method.PartialDefinitionPart ?? method).OriginalDefinition;

    /// <summary>Adds a body.</summary>
    /// <param name="body">The body.</param>
    public void Add(BodyRecord body) => _bodies.Add(body);

    /// <summary>Notes that a private method is made a delegate: not all its calls are in sight.</summary>
    /// <param name="method">The method.</param>
    /// <param name="role">How the delegate runs.</param>
    public void AddReference(IMethodSymbol method, BodyRole role)
        => _otherUses.AddOrUpdate(Definition(method), role, (_, before) => before == role ? role : BodyRole.Ordinary);

    public IReadOnlyList<InferredNeed>? HelperNeeds(IMethodSymbol method) => _needs.TryGetValue(method, out IReadOnlyList<InferredNeed>? needs) ? needs : null;

    public IReadOnlyList<InferredNeed>? HelperNeedsOf(ISymbol owner) => _needs.TryGetValue(owner, out IReadOnlyList<InferredNeed>? needs) ? needs : null;

    public bool IsPublishable(INamedTypeSymbol type) => _compilation.IsPublishable(type);

    /// <summary>Analyses all bodies.</summary>
    /// <param name="report">Receives the diagnostics.</param>
    /// <param name="cancellation">Cancels the analysis.</param>
    public void Complete(System.Action<Diagnostic> report, CancellationToken cancellation)
    {
        if (!_bodies.Any(static b => b.IsInteresting))
        {
            return;
        }

        List<BodyRecord> bodies = _bodies.OrderBy(static b => b.Root.Syntax.SyntaxTree.FilePath, System.StringComparer.Ordinal).ThenBy(static b => b.Root.Syntax.SpanStart).ToList();
        Findings findings = new(_compilation.Options);
        InferNeeds(bodies, cancellation);
        foreach (BodyRecord body in bodies)
        {
            if (!body.IsInteresting && !body.Calls.Any(_needs.ContainsKey))
            {
                continue;
            }

            if (_compilation.IsExempt(body.Owner))
            {
                continue;
            }

            BodyRole role = RoleOf(body.Owner);
            if (!IsProvenClean(body, role, findings, cancellation))
            {
                Guarded(body, findings, cancellation, analysis =>
                {
                    analysis.Role = role;
                    analysis.Analyse(_compilation.Listeners(findings));
                });
            }
        }

        findings.Complete(report);
    }

    /// <summary>Gets an empty table for a proof: of a proof nothing is left.</summary>
    /// <returns>The same one for every proof.</returns>
    public ValueTable TableOfProofs()
    {
        _tableOfProofs.Clear();
        return _tableOfProofs;
    }

    private bool ProvesFirst => _compilation.Settings is { ProvesFirst: true, Abilities: Abilities.All };

    // Most code is right, and can be shown to be with a fraction of the work that it takes to say what is wrong.
    private bool IsProvenClean(BodyRecord body, BodyRole role, Findings findings, CancellationToken cancellation)
    {
        // What a helper leaves to its callers is told with their mistakes.
        if (!ProvesFirst || role == BodyRole.Helper)
        {
            return false;
        }

        // Who has heard nothing can listen again.
        Findings silent = _silent ??= new Findings(_compilation.Options);
        IReadOnlyList<FlowListener> listeners = _silence ??= _compilation.Listeners(silent);
        bool isProven = false;
        Guarded(body, null, cancellation, proves: true, action: proof =>
        {
            proof.Role = role;
            proof.Analyse(listeners);
            isProven = !proof.IsInDoubt && silent.IsSilent;
        });
        if (isProven)
        {
            findings.Adopt(silent);
        }
        else
        {
            _silent = null;
            _silence = null;
        }

        return isProven;
    }

    /// <summary>Tells whether all uses of a member are calls in its own type.</summary>
    /// <param name="owner">The member.</param>
    /// <returns>Whether it is private, called, and never made a delegate.</returns>
    public bool IsPrivateHelper(ISymbol owner)
        => owner is IMethodSymbol { MethodKind: MethodKind.Ordinary, DeclaredAccessibility: Accessibility.Private } && !_otherUses.ContainsKey(owner) && IsCalled(owner);

    /// <summary>Tells whether a method of this type syncs the gather that it is lent by reference, on every path that returns.</summary>
    /// <param name="method">The method.</param>
    /// <param name="ordinal">The parameter's position.</param>
    /// <param name="cancellation">Cancels the analysis.</param>
    /// <returns>Whether it does; not where it is declared elsewhere, or may be overridden.</returns>
    public bool SyncsLent(IMethodSymbol method, int ordinal, CancellationToken cancellation)
    {
        if (_syncing.TryGetValue((method, ordinal), out bool known))
        {
            return known;
        }

        // A method that calls itself is not counted upon while it is looked at.
        _syncing[(method, ordinal)] = false;
        if (!method.IsVirtual && !method.IsAbstract && !method.IsOverride && _bodies.FirstOrDefault(b => SymbolEqualityComparer.Default.Equals(b.Owner, method)) is { } body)
        {
            Guarded(body, null, cancellation, analysis => _syncing[(method, ordinal)] = analysis.SyncsLent(ordinal));
        }

        return _syncing[(method, ordinal)];
    }

    private BodyRole RoleOf(ISymbol owner)
        => _needs.ContainsKey(owner) ? BodyRole.Helper
            : _otherUses.TryGetValue(owner, out BodyRole role) && role == BodyRole.Callback && !IsCalled(owner) ? BodyRole.Callback
            : BodyRole.Ordinary;

    private bool IsCalled(ISymbol owner) => _bodies.Any(b => b.Calls.Contains(owner, SymbolEqualityComparer.Default));

    // An unannotated private method all of whose uses are calls in this type leaves its needs to them.
    private void InferNeeds(List<BodyRecord> bodies, CancellationToken cancellation)
    {
        var called = new HashSet<ISymbol>(bodies.SelectMany(static b => b.Calls), SymbolEqualityComparer.Default);
        List<BodyRecord> helpers = bodies
            .Where(b => b.Owner is IMethodSymbol { MethodKind: MethodKind.Ordinary, DeclaredAccessibility: Accessibility.Private } method
                && called.Contains(method) && !_otherUses.ContainsKey(method) && (Map.Of(method).SelfWords & ~ContractWord.RequiresWriterLock) == 0 && !_compilation.IsExempt(method))
            .ToList();
        var before = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
        for (int round = 0; round < 6; round++)
        {
            // After the first round only those whose callees have turned out to need more.
            var changed = new HashSet<ISymbol>(SymbolEqualityComparer.Default);
            foreach (BodyRecord helper in helpers)
            {
                if (round == 0 ? !helper.IsInteresting && !helper.Calls.Any(_needs.ContainsKey) : !helper.Calls.Any(c => before.Contains(c) || changed.Contains(c)))
                {
                    continue;
                }

                bool isProven = false;
                if (ProvesFirst && HelperNeedsOf(helper.Owner) is null)
                {
                    Guarded(helper, null, cancellation, proves: true, action: proof => isProven = proof.InferNeeds().Count == 0);
                }

                if (isProven)
                {
                    continue;
                }

                Guarded(helper, null, cancellation, analysis =>
                {
                    IReadOnlyList<InferredNeed> needs = analysis.InferNeeds();
                    if (needs.Count > 0 && needs.Count != (HelperNeedsOf(helper.Owner)?.Count ?? 0))
                    {
                        _needs[helper.Owner] = needs;
                        changed.Add(helper.Owner);
                    }
                });
            }

            if (changed.Count == 0)
            {
                return;
            }

            before = changed;
        }
    }

    private void Guarded(BodyRecord body, Findings? findings, CancellationToken cancellation, System.Action<MemberAnalysis> action, bool proves = false)
    {
        try
        {
            action(new MemberAnalysis(this, body.Owner, body.Graphs(Map, cancellation), proves, cancellation));
        }
        catch (GiveUpException given)
        {
            findings?.GiveUp(body, given.Message);
        }
        catch (System.Exception exception) when (exception is not System.OperationCanceledException && !_compilation.Settings.ThrowsOnInternalError)
        {
            findings?.GiveUp(body, "the analysis failed (" + exception.GetType().Name + ")");
        }
    }

    private sealed class LentComparer : IEqualityComparer<(ISymbol Method, int Ordinal)>
    {
        public static readonly LentComparer Instance = new();

        public bool Equals((ISymbol Method, int Ordinal) x, (ISymbol Method, int Ordinal) y)
            => x.Ordinal == y.Ordinal && SymbolEqualityComparer.Default.Equals(x.Method, y.Method);

        public int GetHashCode((ISymbol Method, int Ordinal) key) => SymbolEqualityComparer.Default.GetHashCode(key.Method) + key.Ordinal;
    }
}
