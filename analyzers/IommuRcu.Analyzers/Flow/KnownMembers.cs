// Knowledge of the base library: what blocks, what runs a delegate at once, what runs it elsewhere, what adds to a collection.
using System.Collections.Generic;
using Microsoft.CodeAnalysis;

namespace IommuRcu.Analyzers.Flow;

/// <summary>Built-in contracts of the base library.</summary>
internal static class KnownMembers
{
    private static readonly HashSet<string> _blocking = new()
    {
        "System.Threading.Thread.Sleep", "System.Threading.Thread.Join",
        "System.Threading.Tasks.Task.Wait", "System.Threading.Tasks.Task.WaitAll", "System.Threading.Tasks.Task.WaitAny", "System.Threading.Tasks.Task.RunSynchronously",
        "System.Runtime.CompilerServices.TaskAwaiter.GetResult", "System.Runtime.CompilerServices.ValueTaskAwaiter.GetResult",
        "System.Runtime.CompilerServices.ConfiguredTaskAwaitable.ConfiguredTaskAwaiter.GetResult",
        "System.Runtime.CompilerServices.ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter.GetResult",
        "System.Threading.WaitHandle.WaitOne", "System.Threading.WaitHandle.WaitAll", "System.Threading.WaitHandle.WaitAny", "System.Threading.WaitHandle.SignalAndWait",
        "System.Threading.ManualResetEventSlim.Wait", "System.Threading.CountdownEvent.Wait", "System.Threading.Barrier.SignalAndWait",
        "System.Threading.SemaphoreSlim.Wait", "System.Threading.SpinWait.SpinUntil",
        "System.Threading.Monitor.Wait",
        "System.Threading.Monitor.Enter", "System.Threading.Lock.Enter", "System.Threading.Lock.EnterScope",
        "System.Threading.ReaderWriterLockSlim.EnterReadLock", "System.Threading.ReaderWriterLockSlim.EnterWriteLock", "System.Threading.ReaderWriterLockSlim.EnterUpgradeableReadLock",
        "System.Threading.ReaderWriterLock.AcquireReaderLock", "System.Threading.ReaderWriterLock.AcquireWriterLock",
        "System.Collections.Concurrent.BlockingCollection.Take", "System.Collections.Concurrent.BlockingCollection.Add",
        "System.IO.Stream.Read", "System.IO.Stream.Write", "System.IO.Stream.ReadByte", "System.IO.Stream.WriteByte", "System.IO.Stream.Flush", "System.IO.Stream.CopyTo",
        "System.IO.FileStream.Read", "System.IO.FileStream.Write", "System.IO.FileStream.Flush", "System.IO.FileStream.ReadByte", "System.IO.FileStream.WriteByte",
        "System.IO.RandomAccess.Read", "System.IO.RandomAccess.Write",
        "System.Net.Sockets.Socket.Receive", "System.Net.Sockets.Socket.Send", "System.Net.Sockets.Socket.Accept", "System.Net.Sockets.Socket.Connect",
        "System.Net.Sockets.NetworkStream.Read", "System.Net.Sockets.NetworkStream.Write",
        "System.Net.Http.HttpClient.Send", "System.Diagnostics.Process.WaitForExit",
        "System.Console.ReadLine", "System.Console.ReadKey", "System.Console.Read",
        "System.Threading.Tasks.Parallel.For", "System.Threading.Tasks.Parallel.ForEach", "System.Threading.Tasks.Parallel.Invoke",
        "System.GC.WaitForPendingFinalizers",
    };

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

    /// <summary>Names a blocking member of the base library.</summary>
    /// <param name="method">The method.</param>
    /// <returns>Its short name, or none if it is not known to block.</returns>
    public static string? Blocking(IMethodSymbol method)
    {
        if (!IsSystem(method.ContainingType))
        {
            return null;
        }

        if (method is { MethodKind: MethodKind.PropertyGet, AssociatedSymbol.Name: "Result", ContainingType.Name: "Task" or "ValueTask" })
        {
            return method.ContainingType.Name + ".Result";
        }

        for (INamedTypeSymbol? type = method.ContainingType; type is not null && IsSystem(type); type = type.BaseType)
        {
            if (_blocking.Contains(FullName(type) + "." + method.Name))
            {
                return method.ContainingType.Name + "." + method.Name;
            }
        }

        return method.ContainingType is { Name: "File", ContainingNamespace.Name: "IO" } && !method.Name.EndsWith("Async", System.StringComparison.Ordinal) && method.Name is not ("Exists" or "GetAttributes")
            ? "File." + method.Name
            : null;
    }

    /// <summary>Tells whether a blocking member is a lock.</summary>
    /// <param name="name">The short name.</param>
    /// <returns>Whether <c>iommurcu.lock_in_section</c> speaks of it.</returns>
    public static bool IsLock(string name)
        => name is "Monitor.Enter" or "Lock.Enter" or "Lock.EnterScope";

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
        => IsSystem(method.ContainingType)
            && (_elsewhere.Contains(FullName(method.ContainingType) + "." + method.Name)
                || (method.MethodKind == MethodKind.Constructor && FullName(method.ContainingType) is "System.Threading.Thread" or "System.Threading.Timer"));

    /// <summary>Tells whether a method puts its argument into a collection.</summary>
    /// <param name="method">The method.</param>
    /// <returns>Whether it does.</returns>
    public static bool AddsToCollection(IMethodSymbol method)
        => _adders.Contains(method.Name) && !method.IsStatic && IsSystem(method.ContainingType)
            && FullName(method.ContainingType).StartsWith("System.Collections.", System.StringComparison.Ordinal);

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
