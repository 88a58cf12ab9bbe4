// Knowledge of the base library: which calls may hold up their thread.
using System.Collections.Generic;
using System.Collections.Immutable;
using System.Linq;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace IommuRcu.Analyzers.Flow;

/// <summary>The base library's blocking members.</summary>
internal static class BlockingMembers
{
    // By type, the methods that block; a type's methods hold for those derived from it.
    private static readonly Dictionary<string, string[]> _methods = new()
    {
        ["System.Threading.Thread"] = new[] { "Sleep", "Join" },
        ["System.Threading.Tasks.Task"] = new[] { "Wait", "WaitAll", "WaitAny", "RunSynchronously" },
        ["System.Threading.Tasks.Parallel"] = new[] { "For", "ForEach", "Invoke" },
        ["System.Runtime.CompilerServices.TaskAwaiter"] = new[] { "GetResult" },
        ["System.Runtime.CompilerServices.ValueTaskAwaiter"] = new[] { "GetResult" },
        ["System.Runtime.CompilerServices.ConfiguredTaskAwaitable.ConfiguredTaskAwaiter"] = new[] { "GetResult" },
        ["System.Runtime.CompilerServices.ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter"] = new[] { "GetResult" },
        ["System.Threading.WaitHandle"] = new[] { "WaitOne", "WaitAll", "WaitAny", "SignalAndWait" },
        ["System.Threading.ManualResetEventSlim"] = new[] { "Wait" },
        ["System.Threading.CountdownEvent"] = new[] { "Wait" },
        ["System.Threading.Barrier"] = new[] { "SignalAndWait" },
        ["System.Threading.SemaphoreSlim"] = new[] { "Wait" },
        ["System.Threading.SpinWait"] = new[] { "SpinUntil" },
        ["System.Threading.Monitor"] = new[] { "Wait", "Enter" },
        ["System.Threading.Lock"] = new[] { "Enter", "EnterScope" },
        ["System.Threading.ReaderWriterLockSlim"] = new[] { "EnterReadLock", "EnterWriteLock", "EnterUpgradeableReadLock" },
        ["System.Threading.ReaderWriterLock"] = new[] { "AcquireReaderLock", "AcquireWriterLock" },
        ["System.Collections.Concurrent.BlockingCollection"] = new[] { "Take", "Add", "GetConsumingEnumerable" },
        ["System.IO.Stream"] = new[] { "Read", "Write", "ReadByte", "WriteByte", "ReadExactly", "ReadAtLeast", "Flush", "CopyTo" },
        ["System.IO.TextReader"] = new[] { "Read", "ReadLine", "ReadToEnd", "ReadBlock", "Peek" },
        ["System.IO.TextWriter"] = new[] { "Write", "WriteLine", "Flush" },
        ["System.IO.RandomAccess"] = new[] { "Read", "Write", "FlushToDisk" },
        ["System.IO.Pipes.NamedPipeServerStream"] = new[] { "WaitForConnection" },
        ["System.IO.Pipes.NamedPipeClientStream"] = new[] { "Connect" },
        ["System.Net.Sockets.Socket"] = new[] { "Receive", "ReceiveFrom", "Send", "SendTo", "SendFile", "Accept", "Connect" },
        ["System.Net.Sockets.TcpClient"] = new[] { "Connect" },
        ["System.Net.Sockets.TcpListener"] = new[] { "AcceptTcpClient", "AcceptSocket" },
        ["System.Net.Sockets.UdpClient"] = new[] { "Receive", "Send" },
        ["System.Net.Dns"] = new[] { "GetHostEntry", "GetHostAddresses", "GetHostByName", "Resolve" },
        ["System.Net.Http.HttpClient"] = new[] { "Send" },
        ["System.Net.Http.HttpMessageInvoker"] = new[] { "Send" },
        ["System.Diagnostics.Process"] = new[] { "WaitForExit", "WaitForInputIdle" },
        ["System.Console"] = new[] { "ReadLine", "ReadKey", "Read" },
        ["System.GC"] = new[] { "WaitForPendingFinalizers", "WaitForFullGCComplete" },
    };

    // Those that give up at once, unless they are given a time.
    private static readonly Dictionary<string, string[]> _patient = new()
    {
        ["System.Threading.Monitor"] = new[] { "TryEnter" },
        ["System.Threading.Lock"] = new[] { "TryEnter" },
        ["System.Threading.SpinLock"] = new[] { "TryEnter" },
        ["System.Threading.ReaderWriterLockSlim"] = new[] { "TryEnterReadLock", "TryEnterWriteLock", "TryEnterUpgradeableReadLock" },
        ["System.Collections.Concurrent.BlockingCollection"] = new[] { "TryTake", "TryAdd" },
    };

    // Files and folders: everything that is not a mere look, or asynchronous.
    private static readonly HashSet<string> _fileTypes = new() { "System.IO.File", "System.IO.Directory" };

    // The last parts of all these names, and of those derived from them that are asked for by their own.
    private static readonly HashSet<string> _simpleNames = new(_methods.Keys.Concat(_patient.Keys).Concat(_fileTypes).Select(static n => n.Substring(n.LastIndexOf('.') + 1))) { "ValueTask" };

    // In memory, however they look.
    private static readonly HashSet<string> _memoryTypes = new() { "System.IO.MemoryStream", "System.IO.UnmanagedMemoryStream", "System.IO.StringReader", "System.IO.StringWriter" };

    /// <summary>Names a blocking call of the base library.</summary>
    /// <param name="method">The method.</param>
    /// <param name="instance">What it is called on.</param>
    /// <param name="arguments">What it is given.</param>
    /// <returns>Its short name; none if it is not known to block.</returns>
    public static string? Of(IMethodSymbol method, IOperation? instance, ImmutableArray<IArgumentOperation> arguments)
    {
        // Most calls are of types that never block: their names alone tell.
        if (!MayBlock(method.ContainingType) || !KnownMembers.IsSystem(method.ContainingType))
        {
            return null;
        }

        string name = method.ContainingType.Name + "." + (method.AssociatedSymbol?.Name ?? method.Name);
        if (method is { MethodKind: MethodKind.PropertyGet, AssociatedSymbol.Name: "Result", ContainingType.Name: "Task" or "ValueTask" })
        {
            return name;
        }

        string full = KnownMembers.FullName(method.ContainingType);
        if (_fileTypes.Contains(full))
        {
            return method.Name.EndsWith("Async", System.StringComparison.Ordinal) || method.Name is "Exists" or "GetAttributes" or "GetCurrentDirectory" ? null : name;
        }

        if (IsInMemory(Names.Unwrap(instance)?.Type ?? method.ContainingType))
        {
            return null;
        }

        for (INamedTypeSymbol? type = method.ContainingType; type is not null && KnownMembers.IsSystem(type); type = type.BaseType)
        {
            string key = KnownMembers.FullName(type);
            if (_methods.TryGetValue(key, out string[]? blocking) && blocking.Contains(method.Name))
            {
                return TimeOf(arguments) is { } time && IsZero(time) ? null : name;
            }

            if (_patient.TryGetValue(key, out string[]? patient) && patient.Contains(method.Name))
            {
                return TimeOf(arguments) is { } time && !IsZero(time) ? name : null;
            }
        }

        return null;
    }

    /// <summary>Tells whether a blocking member is a lock.</summary>
    /// <param name="name">The short name.</param>
    /// <returns>Whether <c>iommurcu.lock_in_section</c> speaks of it.</returns>
    public static bool IsLock(string name) => name is "Monitor.Enter" or "Lock.Enter" or "Lock.EnterScope";

    private static bool MayBlock(INamedTypeSymbol? type)
    {
        for (INamedTypeSymbol? t = type; t is not null; t = t.BaseType)
        {
            if (_simpleNames.Contains(t.Name))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsInMemory(ITypeSymbol? type)
    {
        for (INamedTypeSymbol? t = type as INamedTypeSymbol; t is not null; t = t.BaseType)
        {
            if (_memoryTypes.Contains(KnownMembers.FullName(t)))
            {
                return true;
            }
        }

        return false;
    }

    private static IArgumentOperation? TimeOf(ImmutableArray<IArgumentOperation> arguments)
        => arguments.FirstOrDefault(static a => a.Parameter is { Name: { } name } && (name.Contains("imeout") || name is "duration"));

    private static bool IsZero(IArgumentOperation time)
        => time.Value.ConstantValue is { HasValue: true, Value: 0 or 0L } || Names.Unwrap(time) is IFieldReferenceOperation { Field: { Name: "Zero", ContainingType.Name: "TimeSpan" } };
}
