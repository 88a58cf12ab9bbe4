// Locks of the runtime, and what Thread.Interrupt does to them: nothing.
using System.Runtime.CompilerServices;

namespace IommuRcu;

/// <summary>Enters locks so that an interrupted thread never leaves the runtime's state half changed.</summary>
/// <remarks>
/// <c>lock</c> throws where the thread is interrupted while it waits for the lock. Here the interrupt is put off: it strikes at the next wait that is
/// the caller's own, or one that is documented to throw <see cref="ThreadInterruptedException"/>.
/// </remarks>
internal static class Gate
{
    /// <summary>Enters; disposing the result leaves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Held Enter(object gate)
    {
        if (!Monitor.TryEnter(gate))
        {
            EnterSlow(gate);
        }

        return new Held(gate);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void EnterSlow(object gate)
    {
        bool interrupted = false;
        bool entered = false;
        while (!entered)
        {
            try
            {
                Monitor.Enter(gate, ref entered);
            }
            catch (ThreadInterruptedException)
            {
                interrupted = true;
            }
        }

        if (interrupted)
        {
            Thread.CurrentThread.Interrupt();
        }
    }

    /// <summary>A lock that is held.</summary>
    internal readonly ref struct Held(object gate)
    {
        private readonly object _gate = gate;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Dispose() => Monitor.Exit(_gate);
    }
}
