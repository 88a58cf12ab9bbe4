// Callbacks given as delegates: a native head that holds a handle to the managed half.
using System.Runtime.InteropServices;

namespace IommuRcu;

/// <summary>A delegate and its state, waiting for a grace period.</summary>
internal abstract unsafe class ManagedCallback
{
    /// <summary>Makes a head whose callback frees it and then runs the delegate.</summary>
    /// <remarks>The handle keeps the delegate, and so a collectible assembly it comes from, alive until it has run.</remarks>
    internal static RcuHead* Create<TState>(TState state, Action<TState> callback)
    {
        NativeHalf* native = Allocate();
        try
        {
            native->Handle = GCHandle.ToIntPtr(GCHandle.Alloc(new Typed<TState>(state, callback)));
        }
        catch
        {
            NativeMemory.Free(native);
            throw;
        }

        native->Head.Callback = &Run;
        return &native->Head;
    }

    protected abstract void Invoke();

    private static NativeHalf* Allocate()
    {
        try
        {
            return (NativeHalf*)NativeMemory.Alloc((nuint)sizeof(NativeHalf));
        }
        catch (OutOfMemoryException) when (Rcu.MayWait)
        {
            Rcu.FlushBacklog(); // what waits to be freed is freed before anything fails
            return (NativeHalf*)NativeMemory.Alloc((nuint)sizeof(NativeHalf));
        }
    }

    private static void Run(RcuHead* head)
    {
        var native = (NativeHalf*)head; // the head is its first field
        GCHandle handle = GCHandle.FromIntPtr(native->Handle);
        var callback = (ManagedCallback)handle.Target!;
        handle.Free();
        NativeMemory.Free(native);
        callback.Invoke();
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct NativeHalf
    {
        internal RcuHead Head;
        internal nint Handle;
    }

    private sealed class Typed<TState>(TState state, Action<TState> callback) : ManagedCallback
    {
        protected override void Invoke() => callback(state);
    }
}
