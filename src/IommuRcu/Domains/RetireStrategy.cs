// How pages that left the tables, and that no device walks any more, are freed once no reader can stand on them.
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

/// <summary>Frees flushed pages after a grace period. The library has two ways; a program may bring its own.</summary>
/// <remarks>A strategy may be called by any thread, several at once, also inside a read section and in a reclaim callback: it must not wait for a grace period.</remarks>
public abstract class RetireStrategy
{
    /// <summary>Gets the strategy that queues one callback for each page.</summary>
    public static RetireStrategy CallbackPerPage { get; } = new PerPage();

    /// <summary>Gets the strategy that queues one callback for each list.</summary>
    public static RetireStrategy CallbackPerList { get; } = new PerList();

    /// <summary>Takes the pages over: frees them to the allocator after a grace period, and leaves the list empty.</summary>
    /// <param name="allocator">The allocator that the pages belong to.</param>
    /// <param name="pages">Gathered pages, flushed, not empty; empty afterwards.</param>
    public abstract void Retire(PageAllocator allocator, [Retires] ref PageList pages);

    private sealed class PerPage : RetireStrategy
    {
        public override void Retire(PageAllocator allocator, [Retires] ref PageList pages) => allocator.RetireEach(ref pages);

        public override string ToString() => nameof(CallbackPerPage);
    }

    private sealed class PerList : RetireStrategy
    {
        public override void Retire(PageAllocator allocator, [Retires] ref PageList pages) => allocator.RetireList(ref pages);

        public override string ToString() => nameof(CallbackPerList);
    }
}
