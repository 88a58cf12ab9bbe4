// The allocator's counters: each thread counts for itself, and a reader adds up.
namespace IommuRcu.Memory;

public sealed unsafe partial class PageAllocator
{
    // What threads that have ended had counted. Under the lock.
    private CacheBlock _ended;
    private long _damagedPages;
    private long _backlogFlushes;

    /// <summary>Gets the number of pages in use: allocated, linked, or on their way back. Exact while no other thread allocates or frees.</summary>
    public long LivePages => Difference(&FreedPagesOf, &AllocatedPagesOf);

    /// <summary>Gets the bytes in use, as <see cref="LivePages"/> counts them.</summary>
    public long LiveBytes => Difference(&FreedBytesOf, &AllocatedBytesOf);

    /// <summary>Gets the most bytes that were ever taken from the ranges at once: those in use, and those that threads kept at hand.</summary>
    public long PeakLiveBytes
    {
        get
        {
            lock (_lock)
            {
                return (long)_peakTakenBytes;
            }
        }
    }

    /// <summary>Gets the number of pages ever allocated.</summary>
    public long AllocatedPages => Sum(&AllocatedPagesOf);

    /// <summary>Gets the number of pages ever freed.</summary>
    public long FreedPages => Sum(&FreedPagesOf);

    /// <summary>Gets the number of pages that wait for a grace period.</summary>
    public long RetiredPages => Difference(&ReclaimedPagesOf, &RetiredPagesOf);

    /// <summary>Gets the number of pages ever retired: handed to a callback that frees them after a grace period.</summary>
    public long RetiredPagesTotal => Sum(&RetiredPagesOf);

    /// <summary>Gets how often an allocation found no page and had what waits for a grace period reclaimed before it looked again.</summary>
    public long BacklogFlushes => Volatile.Read(ref _backlogFlushes);

    /// <summary>
    /// Gets how many pages were written to while they were free, as their poison told when they were allocated again. 0 unless
    /// <see cref="PageAllocatorOptions.PoisonFreedPages"/> is set.
    /// </summary>
    public long DamagedPages => Volatile.Read(ref _damagedPages);

    private static long AllocatedPagesOf(CacheBlock* block) => Volatile.Read(ref block->AllocatedPages);

    private static long FreedPagesOf(CacheBlock* block) => Volatile.Read(ref block->FreedPages);

    private static long AllocatedBytesOf(CacheBlock* block) => Volatile.Read(ref block->AllocatedBytes);

    private static long FreedBytesOf(CacheBlock* block) => Volatile.Read(ref block->FreedBytes);

    private static long RetiredPagesOf(CacheBlock* block) => Volatile.Read(ref block->RetiredPages);

    private static long ReclaimedPagesOf(CacheBlock* block) => Volatile.Read(ref block->ReclaimedPages);

    // What goes away is read first: a page that comes and goes in between can make the difference too large, never negative.
    private long Difference(delegate*<CacheBlock*, long> minus, delegate*<CacheBlock*, long> plus)
    {
        long less = Sum(minus);
        return Sum(plus) - less;
    }

    private long Sum(delegate*<CacheBlock*, long> counter)
    {
        lock (_lock)
        {
            long sum;
            fixed (CacheBlock* ended = &_ended)
            {
                sum = counter(ended);
            }

            foreach (ThreadCache cache in _caches)
            {
                sum += counter(cache.Block);
            }

            return sum;
        }
    }

    // A page that was freed as part of a larger or a smaller one is not looked at: what its descriptor says is about that one.
    private void CheckPoison(PageDescriptor* descriptor)
    {
        if (descriptor->PoisonedLog2 == descriptor->SizeLog2
            && new ReadOnlySpan<ulong>(descriptor->Pointer, 1 << (descriptor->SizeLog2 - 3)).ContainsAnyExcept(Poison))
        {
            Interlocked.Increment(ref _damagedPages);
        }

        descriptor->PoisonedLog2 = 0;
    }

    private void AdoptCounters(CacheBlock* block)
    {
        _ended.AllocatedPages += block->AllocatedPages;
        _ended.FreedPages += block->FreedPages;
        _ended.AllocatedBytes += block->AllocatedBytes;
        _ended.FreedBytes += block->FreedBytes;
        _ended.RetiredPages += block->RetiredPages;
        _ended.ReclaimedPages += block->ReclaimedPages;
    }
}
