// Finds the bodies worth analysing while the compiler walks over them, and analyses a type once it is complete.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Linq;
using System.Threading;
using IommuRcu.Analyzers.Contracts;
using IommuRcu.Analyzers.Flow;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers;

/// <summary>Watches the bodies of a compilation.</summary>
internal sealed class BodyFinder
{
    private readonly CompilationAnalysis _analysis;
    private readonly ConcurrentDictionary<INamedTypeSymbol, TypeAnalysis> _types = new(SymbolEqualityComparer.Default);

    public BodyFinder(CompilationAnalysis analysis) => _analysis = analysis;

    private ContractMap Map => _analysis.Map;

    /// <summary>Begins to watch.</summary>
    /// <param name="context">The compilation's start.</param>
    public void Register(CompilationStartAnalysisContext context)
        => context.RegisterSymbolStartAction(
            start =>
            {
                // A nested type belongs to the type around it: private helpers are called from both. The outermost type ends after all in it.
                var own = (INamedTypeSymbol)start.Symbol;
                INamedTypeSymbol outermost = own;
                while (outermost.ContainingType is { } outer)
                {
                    outermost = outer;
                }

                TypeAnalysis type = _types.GetOrAdd(outermost, _ => new TypeAnalysis(_analysis));
                start.RegisterOperationBlockStartAction(block => Watch(block, type));
                if (own.ContainingType is null)
                {
                    start.RegisterSymbolEndAction(end =>
                    {
                        _types.TryRemove(outermost, out _);
                        type.Complete(end.ReportDiagnostic, end.CancellationToken);
                    });
                }
            },
            SymbolKind.NamedType);

    private void Watch(OperationBlockStartAnalysisContext block, TypeAnalysis type)
    {
        var watch = new Watched(this, type) { IsInteresting = IsInteresting(block.OwningSymbol) };
        block.RegisterOperationAction(
            c => watch.See(c.Operation),
            OperationKind.Invocation,
            OperationKind.ObjectCreation,
            OperationKind.PropertyReference,
            OperationKind.FieldReference,
            OperationKind.MethodReference,
            OperationKind.DefaultValue);
        block.RegisterOperationAction(
            c => watch.SeeSpecial(c.Operation),
            OperationKind.Loop,
            OperationKind.Await,
            OperationKind.DeconstructionAssignment,
            OperationKind.RecursivePattern,
            OperationKind.ListPattern,
            OperationKind.ImplicitIndexerReference);
        if (Map.HasOperatorContracts)
        {
            block.RegisterOperationAction(
                c => watch.SeeOperator(c.Operation),
                OperationKind.Binary,
                OperationKind.Unary,
                OperationKind.Conversion,
                OperationKind.CompoundAssignment,
                OperationKind.Increment,
                OperationKind.Decrement);
        }

        block.RegisterOperationBlockEndAction(c =>
        {
            if (!watch.IsInteresting && !watch.HasCalls)
            {
                return;
            }

            // The blocks of one body have the same root; there are rarely more than one.
            var roots = new List<IOperation>(c.OperationBlocks.Length);
            foreach (IOperation block in c.OperationBlocks)
            {
                if (RootOf(block) is not IAttributeOperation and var root && !roots.Contains(root))
                {
                    roots.Add(root);
                    type.Add(new BodyRecord(c.OwningSymbol is IMethodSymbol owner ? TypeAnalysis.Definition(owner) : c.OwningSymbol, root, watch.IsInteresting, watch.Calls));
                }
            }
        });
    }

    private static IOperation RootOf(IOperation operation)
    {
        while (operation.Parent is { } parent)
        {
            operation = parent;
        }

        return operation;
    }

    // A body with a contract of its own is of interest whatever it does.
    private bool IsInteresting(ISymbol owner)
        => (Map.MayHaveContracts(owner) && HasContract(owner)) || (owner is IMethodSymbol method && TakesHolder(method));

    private bool TakesHolder(IMethodSymbol method)
    {
        foreach (IParameterSymbol parameter in method.Parameters)
        {
            if (IsHolder(parameter.Type))
            {
                return true;
            }
        }

        return false;
    }

    private bool HasContract(ISymbol symbol) => !Map.Of(symbol).IsEmpty;

    private sealed class Watched
    {
        private readonly BodyFinder _finder;
        private readonly TypeAnalysis _type;
        private ConcurrentDictionary<IMethodSymbol, bool>? _calls;

        public Watched(BodyFinder finder, TypeAnalysis type)
        {
            _finder = finder;
            _type = type;
        }

        public bool IsInteresting { get; set; }

        public bool HasCalls => _calls is not null;

        public IReadOnlyCollection<IMethodSymbol> Calls => _calls is null ? Array.Empty<IMethodSymbol>() : _calls.Keys.ToList();

        private void NoteCall(IMethodSymbol method)
            => LazyInitializer.EnsureInitialized(ref _calls, static () => new ConcurrentDictionary<IMethodSymbol, bool>(SymbolEqualityComparer.Default))!.TryAdd(TypeAnalysis.Definition(method), true);

        public void See(IOperation operation)
        {
            switch (operation)
            {
                case IInvocationOperation { TargetMethod: { } method }:
                    if (method.DeclaredAccessibility == Accessibility.Private && method.MethodKind == MethodKind.Ordinary)
                    {
                        NoteCall(method);
                    }

                    IsInteresting = IsInteresting || _finder.HasContract(method) || _finder.IsHolder(method.ReturnType);
                    break;
                case IMethodReferenceOperation { Method: { } referenced } reference:
                    if (referenced.DeclaredAccessibility == Accessibility.Private && referenced.MethodKind == MethodKind.Ordinary)
                    {
                        // Run before the call that takes it returns, it is as good as called.
                        BodyRole role = FunctionUses.RoleOfDelegate(reference, _finder.Map);
                        if (role == BodyRole.Synchronous)
                        {
                            NoteCall(referenced);
                        }
                        else
                        {
                            _type.AddReference(referenced, role);
                        }
                    }

                    IsInteresting = IsInteresting || _finder.HasContract(referenced);
                    break;
                case IObjectCreationOperation { Constructor: { } constructor } creation:
                    IsInteresting = IsInteresting || _finder.HasContract(constructor) || _finder.IsHolder(creation.Type);
                    break;
                case IPropertyReferenceOperation { Property: { } property } when _finder.Map.IsOutOfReach(property):
                    IsInteresting = IsInteresting || _finder.IsHolder(operation.Type);
                    break;
                case IPropertyReferenceOperation { Property: { } property }:
                    IsInteresting = IsInteresting || _finder.HasContract(property) || _finder.IsHolder(operation.Type)
                        || (property.GetMethod is { } getter && _finder.HasContract(getter)) || (property.SetMethod is { } setter && _finder.HasContract(setter));
                    break;
                case IMemberReferenceOperation { Member: { } member }:
                    IsInteresting = IsInteresting || _finder.HasContract(member) || _finder.IsHolder(operation.Type);
                    break;
                case IDefaultValueOperation value:
                    IsInteresting = IsInteresting || _finder.IsHolder(value.Type);
                    break;
            }
        }

        /// <summary>Sees an operation that calls members which its source does not spell.</summary>
        /// <param name="operation">The operation.</param>
        public void SeeSpecial(IOperation operation)
            => IsInteresting = IsInteresting || ImplicitMembers.Of(operation, _finder.Map, operation.SemanticModel).Any(_finder.HasContract);

        /// <summary>Sees an operation that may call a user's operator or conversion.</summary>
        /// <param name="operation">The operation.</param>
        public void SeeOperator(IOperation operation)
            => IsInteresting = IsInteresting || (ImplicitMembers.OperatorOf(operation) is { } method && _finder.HasContract(method));
    }

    private bool IsHolder(ITypeSymbol? type) => type is INamedTypeSymbol named && !ContractMap.IsPrimitive(named) && HasContract(named);
}
