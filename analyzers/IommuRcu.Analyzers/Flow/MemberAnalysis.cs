// One member under analysis: its body, the functions nested in it, and the names they share.
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow.Proof;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>The analysis of one member. Not safe for several threads.</summary>
internal sealed class MemberAnalysis
{
    private readonly TypeAnalysis _type;
    private readonly MemberGraphs _graphs;
    private readonly Dictionary<ISymbol, NestedFunction> _nested = new(SymbolEqualityComparer.Default);
    private readonly List<NestedFunction> _order = new();
    private readonly Dictionary<ISymbol, IReadOnlyList<InferredNeed>> _needs = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<object, object> _keys = new();

    /// <summary>Initializes a new instance of the <see cref="MemberAnalysis"/> class.</summary>
    /// <param name="type">The analysis of the type.</param>
    /// <param name="owner">The member.</param>
    /// <param name="graphs">Its graphs.</param>
    /// <param name="proves">Whether to follow no more than it takes to prove that nothing is wrong. More paths are taken than there are: what is silent then is silent, the rest is in doubt.</param>
    /// <param name="cancellation">Cancels the analysis.</param>
    public MemberAnalysis(TypeAnalysis type, ISymbol owner, MemberGraphs graphs, bool proves, CancellationToken cancellation)
    {
        _type = type;
        _graphs = graphs;
        Table = proves ? type.TableOfProofs() : new ValueTable();
        Owner = owner;
        Cancellation = cancellation;
        foreach (FunctionGraph function in graphs.Nested)
        {
            var nested = new NestedFunction(function);
            _nested[function.Symbol] = nested;
            _order.Add(nested);
        }

        // What is too large is not analysed, and not proven either.
        Relevance = !proves ? null : graphs.Largest <= Engine.MaximumBlocks ? new Relevance(this, graphs) : throw new GiveUpException("it has too many branches");
        Table.KeepsNames = Relevance is { SetsFlags: true };
    }

    /// <summary>Gets what there is to follow, where nothing but a proof is wanted.</summary>
    public Relevance? Relevance { get; }

    /// <summary>Gets whether the proof has failed: the member may be wrong, or may not.</summary>
    public bool IsInDoubt { get; private set; }

    /// <summary>Ends the proof: only the whole analysis can tell.</summary>
    public void Doubt() => IsInDoubt |= Relevance is not null;

    /// <summary>Gets the member.</summary>
    public ISymbol Owner { get; }

    public CancellationToken Cancellation { get; }

    /// <summary>Gets the semantic model of the member's file; the operations of a control-flow graph have none.</summary>
    public SemanticModel? Model => _graphs.Model;

    public ValueTable Table { get; }

    /// <summary>Gets whether all uses of the member are calls in its own type.</summary>
    public bool IsPrivateHelper => _type.IsPrivateHelper(Owner);

    public ContractMap Map => _type.Map;

    public TypeAnalysis Type => _type;

    public ControlFlowGraph Graph => _graphs.Graph;

    /// <summary>Gets how the member comes to run.</summary>
    public BodyRole Role { get; set; }

    /// <summary>Gets the needs of a helper that has no contract.</summary>
    /// <param name="method">The helper.</param>
    /// <returns>Its needs, or none if it is no helper.</returns>
    public IReadOnlyList<InferredNeed>? HelperNeeds(IMethodSymbol method)
        => _needs.TryGetValue(method, out IReadOnlyList<InferredNeed>? own) ? own : _type.HelperNeeds(method);

    public bool IsPublishable(INamedTypeSymbol type) => _type.IsPublishable(type);

    public bool CannotThrow(IMethodSymbol method) => _type.Throwing.CannotThrow(method, Owner.ContainingType, Model);

    public bool TakesRetired(INamedTypeSymbol type) => _type.Compilation.TakesRetired(type);

    /// <summary>Gets the contracts of the member or a function in it; a lambda has those of the delegate that it becomes as well.</summary>
    /// <param name="method">The function.</param>
    /// <returns>Its contracts.</returns>
    public MemberContracts ContractsOf(IMethodSymbol method) => _graphs.ContractsOf(method);

    public NestedFunction? Nested(IMethodSymbol symbol) => _nested.TryGetValue(symbol, out NestedFunction? nested) ? nested : null;

    public NestedFunction? LambdaOf(ILocalSymbol local) => _graphs.LambdaOf(local) is { } lambda ? Nested(lambda) : null;

    public IReadOnlyList<IOperation> CapturesOf(IMethodSymbol function) => _graphs.Uses.CapturesOf(function);

    public bool CapturesThis(IMethodSymbol function) => _graphs.Uses.CapturesThis(function);

    public IMethodSymbol? TakerOf(IMethodSymbol function) => _graphs.Uses.TakerOf(function);

    public IReadOnlyList<ISymbol> WritesOf(IMethodSymbol function) => _graphs.Uses.WritesOf(function);

    public IReadOnlyList<IFieldReferenceOperation> FieldsOf(IFlowAnonymousFunctionOperation lambda) => _graphs.Uses.FieldsOf(lambda);

    /// <summary>Analyses the member and all functions in it.</summary>
    /// <param name="listeners">Who hears of every point.</param>
    /// <exception cref="GiveUpException">The body is too large or too tangled.</exception>
    public void Analyse(IReadOnlyList<FlowListener> listeners)
    {
        InferNestedNeeds();
        var body = new Body(this, Owner, Owner as IMethodSymbol, _graphs.Graph, Role, 0);
        foreach (List<State> entries in Entries.Of(body, _type.HelperNeedsOf(Owner)))
        {
            Run(body, entries, listeners);
        }

        foreach (NestedFunction nested in _order)
        {
            if ((Map.Of(nested.Symbol).SelfWords & ContractWord.RcuUnsafe) != 0 || IsInDoubt)
            {
                continue;
            }

            var inner = new Body(this, nested.Symbol, nested.Symbol, nested.Graph, nested.Role, nested.Number);
            if (!inner.IsCallback && Relevance?.Of(nested.Graph).IsAnythingKept == false)
            {
                continue;
            }

            IReadOnlyList<InferredNeed>? needs = _needs.TryGetValue(nested.Symbol, out IReadOnlyList<InferredNeed>? own) ? own : null;
            foreach (List<State> entries in Entries.Of(inner, needs, nested.Entries))
            {
                Run(inner, entries, listeners);
            }
        }
    }

    /// <summary>Finds what the member leaves to its callers.</summary>
    /// <returns>The needs.</returns>
    public IReadOnlyList<InferredNeed> InferNeeds()
    {
        InferNestedNeeds();
        return NeedsOf(new Body(this, Owner, Owner as IMethodSymbol, _graphs.Graph, BodyRole.Helper, 0));
    }

    /// <summary>Tells whether a function in sight syncs the gather that it is lent by reference, on every path that returns.</summary>
    /// <param name="function">The function.</param>
    /// <param name="ordinal">The parameter's position.</param>
    /// <returns>Whether it does; not where its body is not in sight.</returns>
    public bool SyncsLent(IMethodSymbol function, int ordinal)
        => Nested(function) is { } nested
            ? SyncsLent(new Body(this, nested.Symbol, nested.Symbol, nested.Graph, BodyRole.Helper, nested.Number), ordinal)
            : _type.SyncsLent(function, ordinal, Cancellation);

    /// <summary>As above, of this member.</summary>
    /// <param name="ordinal">The parameter's position.</param>
    /// <returns>Whether it does.</returns>
    public bool SyncsLent(int ordinal) => SyncsLent(new Body(this, Owner, Owner as IMethodSymbol, _graphs.Graph, BodyRole.Helper, 0), ordinal);

    private bool SyncsLent(Body body, int ordinal)
    {
        int gather = Table.Slot(body.Method!.Parameters[ordinal].OriginalDefinition);
        State entry = Entries.AskingCaller(body);
        entry.SetFacts(Table.Initial(gather), Facts.Nothing with { Holder = Holder.GatherFilled });
        var engine = new Engine(body, Cancellation);
        engine.Analyse(new[] { entry }, null);
        List<State> returns = engine.Exits.Where(static e => e.Kind == ExitKind.Return).Select(static e => e.State).ToList();
        return returns.Count > 0 && returns.All(s => s.FactsOf(s.Read(gather)).Holder is Holder.GatherSynced or Holder.GatherDisposed);
    }

    /// <summary>Gets the one object that stands for a key.</summary>
    /// <param name="key">The key, compared by value.</param>
    /// <returns>The object.</returns>
    public object Key(object key)
    {
        if (!_keys.TryGetValue(key, out object? known))
        {
            _keys.Add(key, known = key);
        }

        return known;
    }

    private void Run(Body body, List<State> entries, IReadOnlyList<FlowListener> listeners)
    {
        var engine = new Engine(body, Cancellation);
        engine.Analyse(entries, listeners);
        foreach (FlowListener listener in listeners)
        {
            listener.Leave(body, engine.Exits);
        }
    }

    // Helpers may call each other: their needs grow until nothing is added.
    private void InferNestedNeeds()
    {
        for (int round = 0; round < 4; round++)
        {
            bool changed = false;
            for (int i = _order.Count - 1; i >= 0; i--)
            {
                NestedFunction nested = _order[i];
                if (nested.Role != BodyRole.Helper)
                {
                    continue;
                }

                IReadOnlyList<InferredNeed> needs = NeedsOf(new Body(this, nested.Symbol, nested.Symbol, nested.Graph, BodyRole.Helper, nested.Number));
                changed |= !_needs.TryGetValue(nested.Symbol, out IReadOnlyList<InferredNeed>? before) || before.Count != needs.Count;
                _needs[nested.Symbol] = needs;
            }

            if (!changed)
            {
                return;
            }
        }
    }

    private IReadOnlyList<InferredNeed> NeedsOf(Body body)
    {
        var collector = new NeedCollector();
        new Engine(body, Cancellation).Analyse(new[] { Entries.AskingCaller(body) }, new FlowListener[] { collector });
        return collector.Needs;
    }
}
