// Retiring of each contender: many objects are handed over, each is freed by a callback when no reader can have it, and all are waited for.
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FASTER.core;

namespace IommuRcu.Benchmarks.Peers;

internal static unsafe class Retires
{
    private static readonly LightEpoch _epoch = new();
    private static readonly Action _counts = static () => _freed++;
    private static Retired* _objects;
    private static long _capacity;
    private static long _freed;

    /// <summary>As in the C program: a cache line each, its head first.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Retired
    {
        public RcuHead Head;
    }

    /// <summary>One <c>Rcu.Call</c> for each object, then <c>Rcu.Barrier</c>.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Rcu(long count)
    {
        Retired* objects = Objects(count);
        for (long i = 0; i < count; i++)
        {
            IommuRcu.Rcu.Call(&objects[i].Head, &Freed);
        }

        IommuRcu.Rcu.Barrier();
    }

    /// <summary>The epoch's own way: a bump with an action for each object, the caller protected, until all actions have run.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void LightEpoch(long count)
    {
        long target = _freed + count;
        _epoch.Resume();
        for (long i = 0; i < count; i++)
        {
            _epoch.BumpCurrentEpoch(_counts);
        }

        while (_freed != target)
        {
            _epoch.ProtectAndDrain();
        }

        _epoch.Suspend();
    }

    private static void Freed(RcuHead* head) => _freed++;

    private static Retired* Objects(long count)
    {
        if (_capacity < count)
        {
            NativeMemory.AlignedFree(_objects);
            _objects = (Retired*)NativeMemory.AlignedAlloc((nuint)(count * sizeof(Retired)), 64);
            NativeMemory.Clear(_objects, (nuint)(count * sizeof(Retired)));
            _capacity = count;
        }

        return _objects;
    }
}
