// The one place where gathered ranges are flushed and their pages retired, and where what could not be flushed waits.
using System.Runtime.CompilerServices;
using IommuRcu.Annotations;

namespace IommuRcu;

public abstract partial class IommuDomain
{
    private readonly object _pendingLock = new();

    // Held while what is pending is flushed, so that who finds it gone knows that the flush is done. Taken before _pendingLock.
    private readonly object _pendingFlushLock = new();

    // Under _pendingLock; whether a flush is owed is read without it, and is true until that flush has returned.
    private GatherData _pending;
    private bool _hasPending;

    // How many tables the reclaimer unlinked whose flush is not done. While it is not 0 a device may still walk through one of them.
    private int _unflushedTables;

    /// <summary>
    /// Gets whether a flush failed and no repetition has returned yet: devices may still reach what was unmapped. What an open gather holds is not counted,
    /// but what was taken back from it when it was disposed is.
    /// </summary>
    public bool HasPendingFlush => Volatile.Read(ref _hasPending);

    /// <summary>Repeats the flushes that failed, if there are any. Every other flush of the domain does so as well.</summary>
    /// <remarks>
    /// When it returns, what was pending when it was called is flushed, drained, also where another thread is doing so: it waits for that one. The exception of a
    /// flush that fails again is thrown, and everything stays pending.
    /// </remarks>
    [FlushesIotlb]
    public void FlushPending()
    {
        GatherData data = default;
        FlushStrictly(ref data);
    }

    /// <summary>Flushes, then retires; what is pending as well. When the flush throws, the data is as it was, and what was pending stays pending.</summary>
    [FlushesIotlb]
    internal void Flush([Retires] ref GatherData data)
    {
        if (Volatile.Read(ref _hasPending))
        {
            FlushWithPending(ref data);
            return;
        }

        if (data.HasRange)
        {
            // Flush before retire: a device may be walking the pages until the invalidation has drained.
            Invalidator?.Invalidate(data.Range, data.TablesFreed || !data.Pages.IsEmpty);
            Retire(ref data);
        }
    }

    // One flush for the data and for what is pending. Rare: a flush failed before.
    private void FlushWithPending([Retires] ref GatherData data)
    {
        lock (_pendingFlushLock)
        {
            GatherData pending = default;
            lock (_pendingLock)
            {
                pending.Append(ref _pending);
            }

            try
            {
                if (pending.HasRange || data.HasRange)
                {
                    GatherData both = pending.Covering(in data);
                    Invalidator?.Invalidate(both.Range, both.TablesFreed);
                    Retire(ref pending);
                }
            }
            finally
            {
                // Empty when all went well. Only now nothing is owed: not when the flush began.
                Defer(ref pending);
            }
        }

        if (data.HasRange)
        {
            Retire(ref data);
        }
    }

    /// <summary>Where there is no hardware, and no pages are to be retired, nothing is to be done for a range: then it is dropped. False: flush.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryFlushNothing(ref GatherData data)
    {
        if (Invalidator is not null || !data.Pages.IsEmpty || Volatile.Read(ref _hasPending))
        {
            return false;
        }

        data.HasRange = false;
        return true;
    }

    /// <summary>Flushes; on failure the data goes to the pending list and the exception on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void FlushStrictly([Retires] ref GatherData data)
    {
        if (data.HasRange && Invalidator is null && data.Pages.IsEmpty && !Volatile.Read(ref _hasPending))
        {
            // No hardware, no pages: nothing to do for the range.
            data.HasRange = false;
            return;
        }

        FlushOrThrow(ref data);
    }

    /// <summary>Flushes; on failure the data goes to the pending list and nothing is thrown.</summary>
    internal void FlushOrDefer([Retires] ref GatherData data)
    {
        try
        {
            Flush(ref data);
        }
#pragma warning disable CA1031 // The failure is kept: HasPendingFlush says so and the next flush repeats it.
        catch (Exception)
#pragma warning restore CA1031
        {
            Defer(ref data);
        }
    }

    /// <summary>Leaves the data to the domain's next flush.</summary>
    internal void Defer([Retires] ref GatherData data)
    {
        lock (_pendingLock)
        {
            _pending.Append(ref data);
            Volatile.Write(ref _hasPending, !_pending.IsEmpty);
        }
    }

    /// <summary>Whether a device may still walk through a table that the reclaimer unlinked.</summary>
    private protected bool HasUnflushedTables => Volatile.Read(ref _unflushedTables) != 0;

    /// <summary>Says that one more table is about to be unlinked. A full fence: who sees the table gone sees this as well.</summary>
    private protected void CountUnflushedTable() => Interlocked.Increment(ref _unflushedTables);

    /// <summary>Takes the last count back: the table was not unlinked.</summary>
    private protected void UncountUnflushedTable() => Interlocked.Decrement(ref _unflushedTables);

    /// <summary>Retires what the caller has flushed already; on failure the data goes to the pending list and the exception on.</summary>
    private protected void RetireFlushed([Retires] ref GatherData data)
    {
        try
        {
            Retire(ref data);
        }
        catch
        {
            Defer(ref data);
            throw;
        }
    }

    private void Retire(ref GatherData data)
    {
        if (data.Reclaimed != 0)
        {
            Interlocked.Add(ref _unflushedTables, -data.Reclaimed);
            data.Reclaimed = 0;
        }

        if (!data.Pages.IsEmpty)
        {
            Options.RetireStrategy.Retire(PageAllocator, ref data.Pages);
            if (!data.Pages.IsEmpty)
            {
                throw new InvalidOperationException($"The retire strategy {Options.RetireStrategy} left pages on the list.");
            }
        }

        // Only now: pages on the list mean a range.
        data = default;
    }

    private void FlushOrThrow(ref GatherData data)
    {
        try
        {
            Flush(ref data);
        }
        catch
        {
            Defer(ref data);
            throw;
        }
    }
}
