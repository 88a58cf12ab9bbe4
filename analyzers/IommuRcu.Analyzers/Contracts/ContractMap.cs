// Answers what contracts a symbol has: its own, its base member's, and those of contract files; each symbol is asked once.
using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Contracts;

/// <summary>The contracts of one compilation. Safe for any number of threads.</summary>
internal sealed class ContractMap
{
    private readonly Compilation _compilation;
    private readonly ConcurrentDictionary<ISymbol, MemberContracts> _cache = new(SymbolEqualityComparer.Default);
    private readonly ConcurrentDictionary<IAssemblySymbol, bool> _assemblies = new(SymbolEqualityComparer.Default);
    private readonly ConcurrentDictionary<INamedTypeSymbol, bool> _acquirers = new(SymbolEqualityComparer.Default);
    private readonly ConcurrentDictionary<IMethodSymbol, bool> _endless = new(SymbolEqualityComparer.Default);
    private readonly IReadOnlyDictionary<ISymbol, MemberContracts> _fromFiles;
    private readonly Lazy<bool> _hasOperatorContracts;
    private readonly IAssemblySymbol _own;
    private readonly Func<IAssemblySymbol, bool> _readAssembly;
    private readonly Func<ISymbol, MemberContracts> _read;
    private IAssemblySymbol? _lastOutOfReach;

    private ContractMap(Compilation compilation, IReadOnlyDictionary<ISymbol, MemberContracts> fromFiles)
    {
        _compilation = compilation;
        _fromFiles = fromFiles;
        _own = compilation.Assembly;
        _readAssembly = ReadAssembly;
        _read = Read;
        _hasOperatorContracts = new Lazy<bool>(FindOperatorContracts);
    }

    /// <summary>Gets the compilation.</summary>
    public Compilation Compilation => _compilation;

    /// <summary>Reads the contracts of a compilation.</summary>
    /// <param name="compilation">The compilation.</param>
    /// <param name="fromFiles">The contracts of its contract files.</param>
    /// <returns>The map, or none where the compilation can have no contract.</returns>
    public static ContractMap? Create(Compilation compilation, IReadOnlyDictionary<ISymbol, MemberContracts> fromFiles)
    {
        if (fromFiles.Count > 0 || AnnotationsIn(compilation.GlobalNamespace) is not null)
        {
            return new ContractMap(compilation, fromFiles);
        }

        return null;
    }

    /// <summary>Gets the contracts of a member or type.</summary>
    /// <param name="symbol">A method, property, field, event or type.</param>
    /// <returns>Its contracts.</returns>
    public MemberContracts Of(ISymbol symbol)
    {
        if (IsOutOfReach(symbol))
        {
            return MemberContracts.None;
        }

        ISymbol definition = symbol is IMethodSymbol { ReducedFrom: { } reduced } ? reduced.OriginalDefinition : symbol.OriginalDefinition;
        return _cache.TryGetValue(definition, out MemberContracts? known) ? known : _cache.GetOrAdd(definition, _read);
    }

    /// <summary>Tells whether a symbol's assembly has nothing to say, and no contract file either. Nearly all that code names is the base library's.</summary>
    /// <param name="symbol">The symbol.</param>
    /// <returns>Whether neither it nor anything declared with it has a contract.</returns>
    public bool IsOutOfReach(ISymbol symbol)
    {
        IAssemblySymbol? assembly = symbol.ContainingAssembly;
        if (ReferenceEquals(assembly, _own) || _fromFiles.Count > 0)
        {
            return false;
        }

        // The same few assemblies are asked for again and again; which one is remembered does not matter.
        if (!ReferenceEquals(assembly, _lastOutOfReach))
        {
            if (CanHaveContracts(assembly))
            {
                return false;
            }

            _lastOutOfReach = assembly;
        }

        return true;
    }

    /// <summary>Gets whether an operator or conversion has a contract: they are looked for only then, being everywhere.</summary>
    public bool HasOperatorContracts => _hasOperatorContracts.Value;

    /// <summary>Gets whether a type opens sections: then each of its instances is a domain of its own.</summary>
    /// <param name="type">The type.</param>
    /// <returns>Whether a member of it, its bases or interfaces opens a section.</returns>
    public bool Acquires(ITypeSymbol? type)
        => type is INamedTypeSymbol named && _acquirers.GetOrAdd(named.OriginalDefinition, ReadAcquires);

    /// <summary>Tells whether a method says that it never returns.</summary>
    /// <param name="method">The method.</param>
    /// <returns>Whether it is marked DoesNotReturn.</returns>
    public bool DoesNotReturn(IMethodSymbol method)
        => _endless.GetOrAdd(method.OriginalDefinition, static m => m.GetAttributes().Any(static a => a.AttributeClass?.Name == "DoesNotReturnAttribute"));

    /// <summary>Gets the guard contract of a type.</summary>
    /// <param name="type">The type.</param>
    /// <returns>The contract, or none.</returns>
    public Contract? Scope(ITypeSymbol? type) => FindOnType(type, ContractWord.ReadLockScope);

    /// <summary>Finds a word on a type, its bases or interfaces.</summary>
    /// <param name="type">The type.</param>
    /// <param name="word">The word.</param>
    /// <returns>The contract, or none.</returns>
    public Contract? FindOnType(ITypeSymbol? type, ContractWord word) => OnType(type).Find(word);

    /// <summary>Tells whether a type is a number, a flag, a character or a text: nothing that a contract would stand on.</summary>
    /// <param name="type">The type.</param>
    /// <returns>Whether it is.</returns>
    public static bool IsPrimitive(ITypeSymbol? type) => type is { SpecialType: >= SpecialType.System_Boolean and <= SpecialType.System_String };

    /// <summary>Gets the contracts of a type, its bases and interfaces; of a nullable one, those of the value in it.</summary>
    /// <param name="type">The type.</param>
    /// <returns>Its contracts, possibly none.</returns>
    public MemberContracts OnType(ITypeSymbol? type)
    {
        if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T } nullable)
        {
            type = nullable.TypeArguments[0];
        }

        return type is INamedTypeSymbol named && !IsPrimitive(named) ? Of(named) : MemberContracts.None;
    }

    private static INamespaceSymbol? AnnotationsIn(INamespaceSymbol root)
        => root.GetNamespaceMembers().FirstOrDefault(static n => n.Name == "IommuRcu")
            ?.GetNamespaceMembers().FirstOrDefault(static n => n.Name == "Annotations");

    /// <summary>Tells whether an assembly's members can carry contracts at all.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <returns>Whether it is this one, declares the attributes or references them.</returns>
    public bool CanHaveContracts(IAssemblySymbol? assembly)
        => assembly is not null && (ReferenceEquals(assembly, _own) || _assemblies.GetOrAdd(assembly, _readAssembly));

    // A referenced assembly can carry contracts only where it declares the attributes or references an assembly that does.
    private bool ReadAssembly(IAssemblySymbol assembly)
    {
        if (AnnotationsIn(assembly.GlobalNamespace) is not null)
        {
            return true;
        }

        foreach (IModuleSymbol module in assembly.Modules)
        {
            foreach (IAssemblySymbol referenced in module.ReferencedAssemblySymbols)
            {
                if (AnnotationsIn(referenced.GlobalNamespace) is not null)
                {
                    return true;
                }
            }
        }

        return false;
    }

    /// <summary>Tells at a glance whether a declaration may have contracts.</summary>
    /// <param name="symbol">A type or member declared in source.</param>
    /// <returns>Whether it has attributes, contract files say something, or there is a base member to take contracts from.</returns>
    public bool MayHaveContracts(ISymbol symbol)
        => _fromFiles.Count > 0 || !symbol.GetAttributes().IsEmpty || symbol.IsOverride
            || symbol switch
            {
                INamedTypeSymbol type => !type.Interfaces.IsEmpty || type.BaseType is { SpecialType: SpecialType.None },
                IMethodSymbol { AssociatedSymbol: { } associated } => MayHaveContracts(associated),
                IMethodSymbol method => !method.ContainingType.AllInterfaces.IsEmpty || !method.GetReturnTypeAttributes().IsEmpty || AnyAttributes(method.Parameters),
                IPropertySymbol property => !property.ContainingType.AllInterfaces.IsEmpty || AnyAttributes(property.Parameters),
                _ => false,
            };

    private static bool AnyAttributes(ImmutableArray<IParameterSymbol> parameters)
    {
        foreach (IParameterSymbol parameter in parameters)
        {
            if (!parameter.GetAttributes().IsEmpty)
            {
                return true;
            }
        }

        return false;
    }

    private MemberContracts Read(ISymbol symbol)
    {
        MemberContracts own = ReadOwn(symbol);
        if (symbol is INamedTypeSymbol type)
        {
            return ReadInherited(type, own);
        }

        foreach (ISymbol inherited in BaseMembers.Of(symbol))
        {
            own = own.With(Of(inherited));
        }

        return own;
    }

    private MemberContracts ReadInherited(INamedTypeSymbol type, MemberContracts own)
    {
        if (type.BaseType is { SpecialType: SpecialType.None } baseType)
        {
            own = own.With(TypeWide(Of(baseType)));
        }

        foreach (INamedTypeSymbol implemented in type.Interfaces)
        {
            own = own.With(TypeWide(Of(implemented)));
        }

        return own;
    }

    // An exemption is for the very type that it stands on.
    private static MemberContracts TypeWide(MemberContracts contracts)
        => (contracts.SelfWords & ContractWord.RcuUnsafe) == 0
            ? contracts
            : new MemberContracts(
                contracts.Self.Where(static c => c.Word != ContractWord.RcuUnsafe).ToImmutableArray(), contracts.Result, ImmutableArray<ImmutableArray<Contract>>.Empty);

    private MemberContracts ReadOwn(ISymbol symbol)
    {
        MemberContracts fromFile = _fromFiles.TryGetValue(symbol, out MemberContracts? found) ? found : MemberContracts.None;
        bool hasAttributes = CanHaveContracts(symbol.ContainingAssembly);
        if (!hasAttributes && _fromFiles.Count == 0)
        {
            return fromFile;
        }

        List<Contract>? self = null;
        List<Contract>? result = null;
        ImmutableArray<ImmutableArray<Contract>> parameters = ImmutableArray<ImmutableArray<Contract>>.Empty;
        if (hasAttributes)
        {
            AttributeReader.Read(symbol.GetAttributes(), ref self);
        }

        switch (symbol)
        {
            case IMethodSymbol method:
                if (hasAttributes)
                {
                    AttributeReader.Read(method.GetReturnTypeAttributes(), ref result);
                    parameters = ReadParameters(method.Parameters);
                }

                if (method.AssociatedSymbol is IPropertySymbol accessed)
                {
                    MemberContracts property = Of(accessed);
                    self = Add(self, property.Self);
                    result = Add(result, property.Result);
                }

                if (method is { MethodKind: MethodKind.DelegateInvoke, ContainingType: { } delegateType })
                {
                    self = Add(self, Of(delegateType).Self);
                }

                break;
            case IPropertySymbol property when hasAttributes:
                parameters = ReadParameters(property.Parameters);
                break;
        }

        // A protected, bounding or fresh property or field speaks of the value that it gives.
        if (symbol is IPropertySymbol or IFieldSymbol && self is not null)
        {
            result = Add(result, self.Where(static c => c.Word is ContractWord.RcuProtected or ContractWord.RcuBound).ToImmutableArray());
        }

        return self is null && result is null && parameters.IsEmpty
            ? fromFile
            : new MemberContracts(self?.ToImmutableArray() ?? ImmutableArray<Contract>.Empty, result?.ToImmutableArray() ?? ImmutableArray<Contract>.Empty, parameters).With(fromFile);
    }

    private static List<Contract>? Add(List<Contract>? list, ImmutableArray<Contract> more)
    {
        if (!more.IsEmpty)
        {
            (list ??= new List<Contract>()).AddRange(more);
        }

        return list;
    }

    private static ImmutableArray<ImmutableArray<Contract>> ReadParameters(ImmutableArray<IParameterSymbol> parameters)
    {
        ImmutableArray<ImmutableArray<Contract>>.Builder? all = null;
        for (int i = 0; i < parameters.Length; i++)
        {
            List<Contract>? contracts = null;
            AttributeReader.Read(parameters[i].GetAttributes(), ref contracts);
            if (contracts is not null)
            {
                if (all is null)
                {
                    all = ImmutableArray.CreateBuilder<ImmutableArray<Contract>>(parameters.Length);
                    all.AddRange(Enumerable.Repeat(ImmutableArray<Contract>.Empty, parameters.Length));
                }

                all[i] = contracts.ToImmutableArray();
            }
        }

        return all?.ToImmutable() ?? ImmutableArray<ImmutableArray<Contract>>.Empty;
    }

    private bool FindOperatorContracts()
        => _fromFiles.Keys.Any(static s => s is IMethodSymbol { MethodKind: MethodKind.UserDefinedOperator or MethodKind.Conversion })
            || _compilation.References.Select(_compilation.GetAssemblyOrModuleSymbol).OfType<IAssemblySymbol>().Append(_compilation.Assembly)
                .Where(a => CanHaveContracts(a)).Any(a => HasOperatorContract(a.GlobalNamespace));

    private bool HasOperatorContract(INamespaceSymbol space)
    {
        foreach (INamespaceOrTypeSymbol member in space.GetMembers())
        {
            if (member is INamespaceSymbol inner ? HasOperatorContract(inner) : HasOperatorContract((INamedTypeSymbol)member))
            {
                return true;
            }
        }

        return false;
    }

    // The names of a type's members cost nothing; its members would be made here for the first time.
    private bool HasOperatorContract(INamedTypeSymbol type)
    {
        foreach (string name in type.MemberNames)
        {
            if (name.StartsWith("op_", StringComparison.Ordinal) && type.GetMembers(name).Any(m => m is IMethodSymbol && !Of(m).IsEmpty))
            {
                return true;
            }
        }

        foreach (INamedTypeSymbol nested in type.GetTypeMembers())
        {
            if (HasOperatorContract(nested))
            {
                return true;
            }
        }

        return false;
    }

    private bool ReadAcquires(INamedTypeSymbol type)
    {
        for (INamedTypeSymbol? t = type; t is not null && t.SpecialType == SpecialType.None; t = t.BaseType)
        {
            if (HasAcquirer(t))
            {
                return true;
            }
        }

        return type.AllInterfaces.Any(HasAcquirer);
    }

    private bool HasAcquirer(INamedTypeSymbol type)
        => (CanHaveContracts(type.ContainingAssembly) || _fromFiles.Count > 0)
            && type.GetMembers().Any(m => m is IMethodSymbol { MethodKind: MethodKind.Ordinary or MethodKind.ExplicitInterfaceImplementation } && (Of(m).SelfWords & ContractWord.AcquiresReadLock) != 0);
}
