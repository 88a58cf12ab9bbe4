// Reads what a statement or condition names, writes and calls, and whether anything in it has a contract or is known to the analysis.
using System.Collections.Generic;
using System.Collections.Immutable;
using IommuRcu.Analyzers.Contracts;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.FlowAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow.Proof;

/// <summary>Reads the trees of one member, and numbers the variables and members that they name.</summary>
internal sealed class TreeReader
{
    // What these say is of a value: the result, an argument or the receiver.
    private const ContractWord OfValues = ~(ContractWord.RequiresReadLock | ContractWord.AssertsReadLock | ContractWord.WaitsForGracePeriod | ContractWord.MayBlock
        | ContractWord.ReleasesReadLock | ContractWord.RefreshesReadLock | ContractWord.RequiresWriterLock | ContractWord.MayHoldReadLock | ContractWord.RcuUnsafe);

    // Of what is entered only the name matters: which domain it is.
    private const ContractWord OfReceivers = OfValues & ~ContractWord.AcquiresReadLock;

    // What has to do with an open section.
    private const ContractWord OfSections = ContractWord.RequiresReadLock | ContractWord.AcquiresReadLock | ContractWord.ReleasesReadLock | ContractWord.AssertsReadLock
        | ContractWord.RefreshesReadLock | ContractWord.MayHoldReadLock;

    private readonly MemberAnalysis _member;
    private readonly MemberGraphs _graphs;
    private readonly ContractMap _map;
    private readonly bool _watchesAllocations;
    private readonly Dictionary<ISymbol, int> _numbers = new(SymbolEqualityComparer.Default);
    private readonly Dictionary<CaptureId, int> _captures = new();
    private readonly List<(ISymbol? Symbol, bool IsPlain)> _names = new();
    // Members and parameters that a contract names, as a domain or a lock.
    private readonly HashSet<string> _asked = new();

    public TreeReader(MemberAnalysis member, MemberGraphs graphs)
    {
        _member = member;
        _graphs = graphs;
        _map = member.Map;
        _watchesAllocations = member.Type.Compilation.WatchesAllocations;
        if (member.Owner is IMethodSymbol method)
        {
            Begin(method);
        }

        foreach (FunctionGraph nested in graphs.Nested)
        {
            Begin(nested.Symbol);
        }
    }

    /// <summary>Gets how many variables and members have a number.</summary>
    public int Count => _names.Count;

    /// <summary>Tells whether a variable is no more than a number, a flag or a text.</summary>
    /// <param name="name">The variable's number.</param>
    /// <returns>Whether it is.</returns>
    public bool IsPlain(int name) => _names[name].IsPlain;

    /// <summary>Tells whether a contract names a variable or member.</summary>
    /// <param name="name">Its number.</param>
    /// <returns>Whether one does.</returns>
    public bool IsAsked(int name) => _names[name].Symbol is { } symbol && _asked.Contains(symbol.Name);

    /// <summary>Reads an operation.</summary>
    /// <param name="operation">The operation.</param>
    /// <returns>What there is in it.</returns>
    public Tree Read(IOperation operation)
    {
        var tree = new Tree(operation);
        Read(operation, tree);
        return tree;
    }

    /// <summary>Gets what a rule watches that has no contract: followed where a section may be open.</summary>
    public List<Tree> Watched { get; } = new();

    /// <summary>Gets whether a flag is written anywhere in the member.</summary>
    public bool SetsFlags { get; private set; }

    /// <summary>Gets whether a section may be open anywhere in the member.</summary>
    public bool SeesSections { get; private set; }

    /// <summary>Gets the parameters whose values the member's own contracts speak of.</summary>
    public List<int> Given { get; } = new();

    private void Begin(IMethodSymbol function)
    {
        MemberContracts contracts = _member.ContractsOf(function);
        SeesSections |= (contracts.SelfWords & OfSections) != 0;
        Ask(contracts.Self);
        foreach (IParameterSymbol parameter in function.Parameters)
        {
            if (!contracts.Parameter(parameter.Ordinal).IsEmpty)
            {
                Given.Add(Number(parameter.OriginalDefinition, parameter.Type));
            }
        }
    }

    private void Ask(ImmutableArray<Contract> contracts)
    {
        foreach (Contract contract in contracts)
        {
            AskFor(contract.Domain);
            AskFor(contract.Lock);
            AskFor(contract.WhenParameter);
        }
    }

    private void AskFor(string? path)
    {
        if (path is not null)
        {
            _asked.UnionWith(path.Split('.'));
        }
    }

    private void Read(IOperation operation, Tree tree)
    {
        if (_watchesAllocations && Allocations.Of(operation, _member) is not null)
        {
            Watched.Add(tree);
        }

        switch (operation.Kind)
        {
            case OperationKind.LocalReference:
                Name(((ILocalReferenceOperation)operation).Local, operation.Type, tree);
                return;
            case OperationKind.ParameterReference:
                Name(((IParameterReferenceOperation)operation).Parameter.OriginalDefinition, operation.Type, tree);
                return;
            case OperationKind.FlowCaptureReference:
                tree.AddName(Capture(((IFlowCaptureReferenceOperation)operation).Id, operation.Type));
                return;
            case OperationKind.InstanceReference or OperationKind.Literal:
                return;
            case OperationKind.FlowCapture:
                int capture = Capture(((IFlowCaptureOperation)operation).Id, ((IFlowCaptureOperation)operation).Value.Type);
                tree.AddName(capture);
                tree.AddWrite(capture);
                break;
            case OperationKind.FieldReference:
                ReadField((IFieldReferenceOperation)operation, tree);
                break;
            case OperationKind.PropertyReference:
                ReadProperty((IPropertyReferenceOperation)operation, tree);
                return;
            case OperationKind.Invocation:
                ReadCall((IInvocationOperation)operation, tree);
                return;
            case OperationKind.ObjectCreation:
                ReadCreation((IObjectCreationOperation)operation, tree);
                return;
            case OperationKind.MethodReference:
                ReadGroup((IMethodReferenceOperation)operation, tree);
                break;
            case OperationKind.FlowAnonymousFunction:
                if (_graphs.Find(((IFlowAnonymousFunctionOperation)operation).Symbol) is { } lambda)
                {
                    tree.AddFunction(lambda);
                }

                return;
            case OperationKind.Await:
                // Also where a section ends that the task holds.
                tree.Touches = tree.MayThrow = true;
                ReadImplicit(operation, tree);
                break;
            case OperationKind.ExpressionStatement when Engine.LockedBy(operation) is not null:
                tree.Touches = true;
                break;
            case OperationKind.YieldReturn:
                tree.Touches = true;
                break;
            case OperationKind.DefaultValue:
                tree.Gives |= operation.Type is INamedTypeSymbol { IsValueType: true, SpecialType: SpecialType.None, TypeKind: TypeKind.Struct } type && _map.CanHaveContracts(type.ContainingAssembly);
                tree.Gives |= IsHolder(operation.Type);
                break;
            case OperationKind.SimpleAssignment:
                tree.Refers |= ((ISimpleAssignmentOperation)operation).IsRef;
                ReadWrite(((ISimpleAssignmentOperation)operation).Target, tree);
                break;
            case OperationKind.CompoundAssignment:
                ReadOperator(operation, tree);
                ReadWrite(((ICompoundAssignmentOperation)operation).Target, tree);
                break;
            case OperationKind.CoalesceAssignment:
                ReadWrite(((ICoalesceAssignmentOperation)operation).Target, tree);
                break;
            case OperationKind.Increment or OperationKind.Decrement:
                ReadOperator(operation, tree);
                ReadWrite(((IIncrementOrDecrementOperation)operation).Target, tree);
                break;
            case OperationKind.DeconstructionAssignment:
                ReadImplicit(operation, tree);
                ReadWrite(((IDeconstructionAssignmentOperation)operation).Target, tree);
                break;
            case OperationKind.AddressOf:
                ReadWrite(((IAddressOfOperation)operation).Reference, tree);
                break;
            case OperationKind.DeclarationPattern:
                Declare(((IDeclarationPatternOperation)operation).DeclaredSymbol, tree);
                break;
            case OperationKind.RecursivePattern:
                ReadImplicit(operation, tree);
                Declare(((IRecursivePatternOperation)operation).DeclaredSymbol, tree);
                break;
            case OperationKind.ListPattern:
                ReadImplicit(operation, tree);
                Declare(((IListPatternOperation)operation).DeclaredSymbol, tree);
                break;
            case OperationKind.ImplicitIndexerReference:
                ReadImplicit(operation, tree);
                break;
            case OperationKind.Binary or OperationKind.Unary or OperationKind.Conversion:
                ReadOperator(operation, tree);
                break;
        }

        ReadChildren(operation, tree);
    }

    private void ReadChildren(IOperation operation, Tree tree)
    {
        foreach (IOperation child in operation.ChildOperations)
        {
            Read(child, tree);
        }
    }

    private void ReadField(IFieldReferenceOperation reference, Tree tree)
    {
        if (reference.Field.IsConst)
        {
            return;
        }

        Name(Engine.Canonical(reference.Field), reference.Type, tree);
        Touch(_map.Of(reference.Field), tree);
    }

    private void ReadProperty(IPropertyReferenceOperation reference, Tree tree)
    {
        IPropertySymbol property = reference.Property;
        Name(Engine.Canonical(property), reference.Type, tree);
        MemberContracts contracts = _map.Of(property);
        Touch(contracts, tree);
        if (property.GetMethod is { } getter)
        {
            Touch(_map.Of(getter), tree);
            tree.Touches |= BlockingMembers.Of(getter, reference.Instance, reference.Arguments) is not null;
        }

        if (property.SetMethod is { } setter)
        {
            Touch(_map.Of(setter), tree);
        }

        ReadReceiver(reference.Instance, contracts, tree);
        ReadArguments(reference.Arguments, contracts, tree);
    }

    private void ReadCall(IInvocationOperation call, Tree tree)
    {
        IMethodSymbol method = Engine.Devirtualized(call);
        MemberContracts contracts = _map.Of(method);
        tree.MayThrow = true;
        Touch(contracts, tree, GivesNothing(method) ? OfReceivers : OfValues);
        tree.Gives |= IsHolder(method.ReturnType) || IsHolder(Engine.ResultType(method));
        tree.Touches |= Touches(call, method);
        if (method.MethodKind == MethodKind.DelegateInvoke)
        {
            Watched.Add(tree);
        }

        if (Called(call, method) is { } function)
        {
            tree.AddFunction(function);
        }

        int before = tree.Names.Count;
        ReadReceiver(call.Instance, contracts, tree);
        if (call.Instance is not null && KnownMembers.AddsToCollection(method))
        {
            tree.HoldFrom(before);
        }

        ReadArguments(call.Arguments, contracts, tree);
        if (IsExchange(method) || _member.HelperNeeds(TypeAnalysis.Definition(method)) is not null)
        {
            tree.Touches = tree.Gives = true;
            tree.GiveFrom(before);
        }
    }

    private static bool GivesNothing(IMethodSymbol method)
    {
        if (!method.ReturnsVoid)
        {
            return false;
        }

        foreach (IParameterSymbol parameter in method.Parameters)
        {
            if (parameter.RefKind != RefKind.None)
            {
                return false;
            }
        }

        return true;
    }

    private void ReadCreation(IObjectCreationOperation creation, Tree tree)
    {
        tree.MayThrow = true;
        MemberContracts contracts = creation.Constructor is { } constructor ? _map.Of(constructor) : MemberContracts.None;
        Touch(contracts, tree);
        if (creation.Type is INamedTypeSymbol type && (IsHolder(type) || _member.IsPublishable(type)))
        {
            tree.Touches = tree.Gives = true;
        }

        tree.Touches |= creation.Constructor is { } made && KnownMembers.RunsElsewhere(made);
        ReadArguments(creation.Arguments, contracts, tree);
        if (creation.Initializer is { } initializer)
        {
            Read(initializer, tree);
        }
    }

    // Whatever a queued callback is given it may need when it runs.
    private static bool Queues(MemberContracts contracts)
        => ((contracts.SelfWords | contracts.ParameterWords) & (ContractWord.Retires | ContractWord.RunsAfterGracePeriod)) != 0;

    private void ReadReceiver(IOperation? instance, MemberContracts contracts, Tree tree)
    {
        if (instance is null)
        {
            return;
        }

        int before = tree.Names.Count;
        Read(instance, tree);
        if ((contracts.SelfWords & OfReceivers) != 0 || Queues(contracts))
        {
            tree.GiveFrom(before);
        }
    }

    private void ReadArguments(ImmutableArray<IArgumentOperation> arguments, MemberContracts contracts, Tree tree)
    {
        bool all = Queues(contracts);
        foreach (IArgumentOperation argument in arguments)
        {
            int before = tree.Names.Count;
            Read(argument.Value, tree);
            if (all && Names.Unwrap(argument.Value) is IFlowAnonymousFunctionOperation callback)
            {
                // A callback needs what it captures as well.
                foreach (IOperation captured in _member.CapturesOf(callback.Symbol))
                {
                    Read(captured, tree);
                }
            }

            if (argument.Parameter is not { } parameter)
            {
                continue;
            }

            if (parameter.RefKind is RefKind.Ref or RefKind.Out)
            {
                ReadWrite(argument.Value, tree);
                tree.Gives |= IsHolder(parameter.Type);
            }

            if (all || !contracts.Parameter(parameter.Ordinal).IsEmpty || IsHolder(parameter.Type))
            {
                tree.GiveFrom(before);
            }
        }
    }

    private void ReadGroup(IMethodReferenceOperation reference, Tree tree)
    {
        tree.Touches |= !_map.Of(reference.Method).IsEmpty || _member.HelperNeeds(TypeAnalysis.Definition(reference.Method)) is not null;
        if (_graphs.Find(reference.Method.OriginalDefinition) is { } function)
        {
            tree.AddFunction(function);
        }
    }

    private void ReadImplicit(IOperation operation, Tree tree)
    {
        foreach (IMethodSymbol method in ImplicitMembers.Of(operation, _map, _graphs.Model))
        {
            Touch(_map.Of(method), tree);
        }
    }

    private void ReadOperator(IOperation operation, Tree tree)
    {
        if (_map.HasOperatorContracts && ImplicitMembers.OperatorOf(operation) is { } method)
        {
            Touch(_map.Of(method), tree);
        }
    }

    // The variable or member that is written, and what it is reached through.
    private void ReadWrite(IOperation target, Tree tree)
    {
        SetsFlags |= target is { Type.SpecialType: SpecialType.System_Boolean } and not IFlowCaptureReferenceOperation;
        switch (Names.Unwrap(target))
        {
            case ILocalReferenceOperation local:
                tree.AddWrite(Number(local.Local, local.Type));
                break;
            case IParameterReferenceOperation parameter:
                tree.AddWrite(Number(parameter.Parameter.OriginalDefinition, parameter.Type));
                break;
            case IFlowCaptureReferenceOperation capture:
                tree.AddWrite(Capture(capture.Id, capture.Type));
                break;
            case IFieldReferenceOperation field:
                tree.AddWrite(Number(Engine.Canonical(field.Field), field.Type));
                WriteHolder(field.Instance, tree);
                break;
            case IPropertyReferenceOperation property:
                tree.AddWrite(Number(Engine.Canonical(property.Property), property.Type));
                WriteHolder(property.Instance, tree);
                break;
            case IDeclarationExpressionOperation declaration:
                ReadWrite(declaration.Expression, tree);
                break;
            case ITupleOperation tuple:
                foreach (IOperation element in tuple.Elements)
                {
                    ReadWrite(element, tree);
                }

                break;
            case { Kind: OperationKind.LocalReference or OperationKind.InstanceReference or OperationKind.Literal or OperationKind.Discard } or null:
                break;
            case IArrayElementReferenceOperation element:
                WriteHolder(element.ArrayReference, tree);
                break;
            case { } other:
                foreach (IOperation child in other.ChildOperations)
                {
                    ReadWrite(child, tree);
                }

                break;
        }
    }

    // What something is put into may hold it from then on; a struct is another one, too.
    private void WriteHolder(IOperation? instance, Tree tree)
    {
        if (instance is { Type.IsValueType: true })
        {
            ReadWrite(instance, tree);
        }
        else if (instance is not null)
        {
            tree.Hold(Read(instance).Names);
        }
    }

    private void Declare(ISymbol? symbol, Tree tree)
    {
        if (symbol is ILocalSymbol local)
        {
            int name = Number(local, local.Type);
            tree.AddName(name);
            tree.AddWrite(name);
        }
    }

    private void Touch(MemberContracts contracts, Tree tree, ContractWord giving = OfValues)
    {
        if (contracts.IsEmpty)
        {
            return;
        }

        tree.Touches = true;
        SeesSections |= (contracts.SelfWords & OfSections) != 0;
        tree.Gives |= ((contracts.SelfWords & giving) | ((contracts.ResultWords | contracts.ParameterWords) & OfValues)) != 0;
        Ask(contracts.Self);
        Ask(contracts.Result);
    }

    // What the engine does at a call that has no contract.
    private bool Touches(IInvocationOperation call, IMethodSymbol method)
    {
        if (!KnownMembers.IsSystem(method.ContainingType))
        {
            return EndsPath(method) || (call.Instance is IInstanceReferenceOperation && method is { Name: "Dispose" or "DisposeAsync" or "Close", Parameters.IsEmpty: true });
        }

        return BlockingMembers.Of(method, call.Instance, call.Arguments) is not null || KnownMembers.RunsElsewhere(method) || EndsPath(method)
            || method is { Name: "FailFast" or "Exit", ContainingType.Name: "Environment" };
    }

    private bool EndsPath(IMethodSymbol method) => method.ReturnsVoid && _map.DoesNotReturn(method);

    // Atomic exchanges, locks, assertions, native memory: what they are given matters, and what they give.
    private static bool IsExchange(IMethodSymbol method)
        => method.ContainingType is { } type
            && (KnownMembers.IsSystem(type)
                ? type.Name is "Interlocked" or "Volatile" or "Monitor" or "Lock" or "ReaderWriterLockSlim" or "SemaphoreSlim" or "Mutex" or "SpinLock" or "WaitHandle"
                    or "NativeMemory" or "Marshal" or "Unsafe" || (type.Name is "Debug" or "Trace" or "Contract" && method.Name is "Assert" or "Assume")
                : KnownMembers.IsRcu(type));

    private FunctionGraph? Called(IInvocationOperation call, IMethodSymbol method) => method.MethodKind switch
    {
        MethodKind.LocalFunction => _graphs.Find(method.OriginalDefinition),
        MethodKind.DelegateInvoke when Names.Unwrap(call.Instance) is ILocalReferenceOperation { Local: { } local } && _graphs.LambdaOf(local) is { } lambda => _graphs.Find(lambda),
        _ => null,
    };

    private bool IsHolder(ITypeSymbol? type)
    {
        bool holds = !_map.OnType(type).IsEmpty;
        SeesSections |= holds;
        return holds;
    }

    private void Name(ISymbol symbol, ITypeSymbol? type, Tree tree)
    {
        tree.AddName(Number(symbol, type));
        if (IsHolder(type))
        {
            tree.Touches = tree.Gives = true;
            tree.GiveFrom(tree.Names.Count - 1);
        }
    }

    private static bool IsPlain(ITypeSymbol? type) => ContractMap.IsPrimitive(type) || type is { TypeKind: TypeKind.Enum };

    private int Number(ISymbol symbol, ITypeSymbol? type)
    {
        if (!_numbers.TryGetValue(symbol, out int number))
        {
            number = _names.Count;
            _numbers.Add(symbol, number);
            _names.Add((symbol, IsPlain(type)));
        }

        return number;
    }

    private int Capture(CaptureId id, ITypeSymbol? type)
    {
        if (!_captures.TryGetValue(id, out int number))
        {
            number = _names.Count;
            _captures.Add(id, number);
            _names.Add((null, IsPlain(type)));
        }

        return number;
    }
}
