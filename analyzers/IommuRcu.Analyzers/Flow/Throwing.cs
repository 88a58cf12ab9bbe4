// Which methods without a contract cannot throw: little helpers that only read, compute and store.
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Looks into the methods of one type, as far as they stand in one file. Not safe for several threads.</summary>
internal sealed class Throwing
{
    private readonly Dictionary<ISymbol, bool> _known = new(SymbolEqualityComparer.Default);

    /// <summary>Tells whether a call returns whatever happens, out of memory aside.</summary>
    /// <param name="method">The method.</param>
    /// <param name="type">The type whose bodies are analysed: what it calls of its own is looked into.</param>
    /// <param name="model">The semantic model of the caller's file.</param>
    /// <returns>Whether it does; not where nobody can tell.</returns>
    public bool CannotThrow(IMethodSymbol method, INamedTypeSymbol? type, SemanticModel? model)
    {
        method = method.OriginalDefinition;
        if (_known.TryGetValue(method, out bool known))
        {
            return known;
        }

        if (KnownMembers.IsSystem(method.ContainingType))
        {
            return _known[method] = IsHarmless(method);
        }

        if (!SymbolEqualityComparer.Default.Equals(method.ContainingType?.OriginalDefinition, type?.OriginalDefinition) || method is not { MethodKind: MethodKind.Ordinary, IsVirtual: false, IsOverride: false, IsAbstract: false, IsExtern: false, IsAsync: false })
        {
            return false;
        }

        // One that calls itself may run out of stack.
        _known[method] = false;
        return _known[method] = model is not null && method.DeclaringSyntaxReferences is { Length: 1 } declared && declared[0].SyntaxTree == model.SyntaxTree
            && model.GetOperation(declared[0].GetSyntax()) is IMethodBodyOperation body
            && body.Descendants().All(o => IsQuiet(o, type, model));
    }

    // As in the analysis itself, members and elements count as there, and numbers as small enough.
    private bool IsQuiet(IOperation operation, INamedTypeSymbol? type, SemanticModel model) => operation switch
    {
        IInvocationOperation call => CannotThrow(call.TargetMethod, type, model),
        IConversionOperation conversion => conversion is { OperatorMethod: null, IsTryCast: true } or { OperatorMethod: null, Type.IsValueType: true, Operand.Type.IsValueType: true } || conversion.IsImplicit && conversion.OperatorMethod is null,
        IBinaryOperation { OperatorMethod: not null } or IUnaryOperation { OperatorMethod: not null } => false,
        _ => operation.Kind is not (OperationKind.Throw or OperationKind.ObjectCreation or OperationKind.ArrayCreation or OperationKind.TypeParameterObjectCreation or OperationKind.DynamicInvocation
            or OperationKind.DynamicMemberReference or OperationKind.DynamicIndexerAccess or OperationKind.DynamicObjectCreation or OperationKind.FunctionPointerInvocation or OperationKind.Await or OperationKind.YieldReturn
            or OperationKind.Lock or OperationKind.Using or OperationKind.UsingDeclaration or OperationKind.Loop or OperationKind.EventAssignment or OperationKind.Invalid or OperationKind.InterpolatedString),
    };

    private static bool IsHarmless(IMethodSymbol method) => KnownMembers.FullName(method.ContainingType) switch
    {
        "System.Threading.Thread" => method.Name is "Yield" or "MemoryBarrier" or "SpinWait" or "VolatileRead" or "VolatileWrite",
        "System.Threading.Volatile" or "System.Threading.Interlocked" or "System.Runtime.CompilerServices.Unsafe" or "System.Numerics.BitOperations" => true,
        "System.Threading.SpinWait" => method.Name is "SpinOnce" or "Reset",
        "System.Math" => method.Name is "Min" or "Max" or "Sqrt" or "Floor" or "Ceiling",
        "System.GC" => method.Name is "KeepAlive",
        "System.Environment" => method.Name is "get_TickCount" or "get_TickCount64" or "get_CurrentManagedThreadId",
        "System.Diagnostics.Stopwatch" => method.Name is "GetTimestamp",
        "System.Object" => method.MethodKind == MethodKind.Constructor || method.Name is "ReferenceEquals",
        _ => false,
    };
}
