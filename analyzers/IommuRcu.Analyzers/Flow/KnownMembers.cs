// Knowledge of the base library: what runs a delegate at once, what runs it elsewhere, what adds to a collection.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Built-in contracts of the base library.</summary>
internal static class KnownMembers
{
    private static readonly HashSet<string> _elsewhere = new()
    {
        "System.Threading.Tasks.Task.Run", "System.Threading.Tasks.TaskFactory.StartNew", "System.Threading.ThreadPool.QueueUserWorkItem", "System.Threading.ThreadPool.UnsafeQueueUserWorkItem",
        "System.Threading.Tasks.Parallel.For", "System.Threading.Tasks.Parallel.ForEach", "System.Threading.Tasks.Parallel.Invoke", "System.Threading.Tasks.Task.ContinueWith",
    };

    private static readonly HashSet<string> _synchronousTypes = new()
    {
        "System.Linq.Enumerable", "System.Collections.Generic.List", "System.Array", "System.MemoryExtensions",
        "System.Collections.Concurrent.ConcurrentDictionary", "System.Collections.Immutable.ImmutableInterlocked", "System.Collections.Generic.HashSet",
        "System.Collections.Generic.SortedSet", "System.Collections.Generic.Dictionary",
    };

    private static readonly HashSet<string> _adders = new()
    {
        "Add", "AddRange", "AddFirst", "AddLast", "AddBefore", "AddAfter", "Insert", "Enqueue", "EnqueueRange", "Push", "TryAdd", "TryWrite", "WriteAsync", "AddOrUpdate", "GetOrAdd", "SetItem", "Append", "Set", "TryUpdate",
    };

    /// <summary>Tells whether a method runs its delegates before it returns.</summary>
    /// <param name="method">The method.</param>
    /// <returns>Whether it does.</returns>
    public static bool RunsSynchronously(IMethodSymbol method)
        => IsSystem(method.ContainingType)
            && (_synchronousTypes.Contains(FullName(method.ContainingType)) || (method.ContainingType.SpecialType == SpecialType.System_String && method.Name == "Create"));

    /// <summary>Tells whether a method only promises a sequence, and runs its delegates when that is looked at.</summary>
    /// <param name="method">The method.</param>
    /// <returns>Whether it is one of LINQ's.</returns>
    public static bool IsDeferred(IMethodSymbol method)
        => IsSystem(method.ContainingType) && method.ContainingType.Name == "Enumerable"
            && method.ReturnType is INamedTypeSymbol { Name: "IEnumerable" or "IOrderedEnumerable" };

    /// <summary>Tells whether a method runs its delegates on another thread.</summary>
    /// <param name="method">The method or constructor.</param>
    /// <returns>Whether it does.</returns>
    public static bool RunsElsewhere(IMethodSymbol method)
        => method.ContainingType.Name is "Task" or "TaskFactory" or "ThreadPool" or "Parallel" or "Thread" or "Timer" && IsSystem(method.ContainingType)
            && (_elsewhere.Contains(FullName(method.ContainingType) + "." + method.Name)
                || (method.MethodKind == MethodKind.Constructor && FullName(method.ContainingType) is "System.Threading.Thread" or "System.Threading.Timer"));

    /// <summary>Tells whether a method puts its argument into a collection.</summary>
    /// <param name="method">The method.</param>
    /// <returns>Whether it does.</returns>
    public static bool AddsToCollection(IMethodSymbol method)
        => _adders.Contains(method.Name) && !method.IsStatic && IsSystem(method.ContainingType)
            && FullName(method.ContainingType) is var name
            && (name.StartsWith("System.Collections.", System.StringComparison.Ordinal) || name.StartsWith("System.Threading.Channels.", System.StringComparison.Ordinal));

    /// <summary>Tells whether a type is one of the RCU domains of this project's runtime.</summary>
    /// <param name="type">The type.</param>
    /// <returns>Whether it is Rcu or SleepableRcu.</returns>
    public static bool IsRcu(INamedTypeSymbol? type)
        => type is { Name: "Rcu" or "SleepableRcu", ContainingNamespace: { Name: "IommuRcu", ContainingNamespace.IsGlobalNamespace: true } };

    /// <summary>Tells whether a wait is one for the callbacks that were queued, not for readers alone: no contract says so, but its name does.</summary>
    /// <param name="wait">The method that waits for a grace period.</param>
    /// <returns>Whether it is a barrier.</returns>
    public static bool IsBarrier(IMethodSymbol wait) => wait.Name.StartsWith("Barrier", System.StringComparison.Ordinal);

    /// <summary>Tells whether a type is the base library's.</summary>
    /// <param name="type">The type.</param>
    /// <returns>Whether its namespace begins with System.</returns>
    public static bool IsSystem(INamedTypeSymbol? type)
    {
        INamespaceSymbol? space = type?.ContainingNamespace;
        while (space is { IsGlobalNamespace: false, ContainingNamespace.IsGlobalNamespace: false })
        {
            space = space.ContainingNamespace;
        }

        return space is { Name: "System", IsGlobalNamespace: false };
    }

    /// <summary>Spells a type's full name, without type arguments.</summary>
    /// <param name="type">The type.</param>
    /// <returns>The name.</returns>
    public static string FullName(INamedTypeSymbol type)
    {
        string name = type.Name;
        for (INamedTypeSymbol? outer = type.ContainingType; outer is not null; outer = outer.ContainingType)
        {
            name = outer.Name + "." + name;
        }

        for (INamespaceSymbol? space = type.ContainingNamespace; space is { IsGlobalNamespace: false }; space = space.ContainingNamespace)
        {
            name = space.Name + "." + name;
        }

        return name;
    }
}
