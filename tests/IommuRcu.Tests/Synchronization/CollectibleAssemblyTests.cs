// Callbacks whose code can be unloaded.
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed class CollectibleAssemblyTests
{
    /// <summary>A delegate keeps its assembly loaded until it has run; afterwards nothing of the runtime does.</summary>
    [Fact]
    public void QueuedDelegate_KeepsItsAssemblyUntilItHasRun()
    {
        int[] ran = [0];
        using var reader = new ReaderThread();
        reader.Open();
        WeakReference context = Load(nameof(CollectiblePlugin.Retire), ran);
        Collect();
        Assert.True(context.IsAlive);
        Assert.Equal(0, ran[0]);
        reader.Close();
        Rcu.Barrier();
        Assert.Equal(1, ran[0]);
        Poll.Until(() => !Collect(context), "the unloading");
    }

    /// <summary>What the documentation asks of code with function pointers: Barrier before it is unloaded.</summary>
    [Fact]
    public void QueuedFunctionPointer_IsRunByTheBarrierBeforeUnloading()
    {
        int[] ran = [0];
        WeakReference context = Load(nameof(CollectiblePlugin.RetireAndWait), ran);
        Assert.Equal(1, ran[0]);
        Poll.Until(() => !Collect(context), "the unloading");
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference Load(string method, int[] ran)
    {
        var context = new AssemblyLoadContext("plugin", isCollectible: true);
        Assembly assembly = context.LoadFromAssemblyPath(typeof(CollectiblePlugin).Assembly.Location);
        assembly.GetType(typeof(CollectiblePlugin).FullName!)!.GetMethod(method)!.Invoke(null, [ran]);
        context.Unload();
        return new WeakReference(context);
    }

    private static bool Collect(WeakReference context)
    {
        Collect();
        return context.IsAlive;
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }
}

/// <summary>Loaded a second time, into a context that can be unloaded; the runtime itself is shared.</summary>
public static unsafe class CollectiblePlugin
{
    private static int[]? _ran;

    /// <summary>Queues a delegate of this copy.</summary>
    public static void Retire(int[] ran) => Rcu.Call(ran, static ran => ran[0]++);

    /// <summary>Queues a function pointer of this copy, and waits for it.</summary>
    public static void RetireAndWait(int[] ran)
    {
        _ran = ran;
        RcuHead head = default;
        Rcu.Call(&head, &Count);
        Rcu.Barrier();
    }

    private static void Count(RcuHead* head) => _ran![0]++;
}
