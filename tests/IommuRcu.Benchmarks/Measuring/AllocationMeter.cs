// A contender that also watches what its rounds allocate on the managed heap.
namespace IommuRcu.Benchmarks.Measuring;

/// <summary>Passes rounds on and keeps the least that one of them allocated on the calling thread: 0 unless every round allocates.</summary>
internal sealed class AllocationMeter(Contender contender) : Contender(contender.Name)
{
    public override int Results => contender.Results;

    /// <summary>Gets the bytes of the round that allocated least.</summary>
    public long Bytes { get; private set; } = long.MaxValue;

    public override void Round(Span<double> ns)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        contender.Round(ns);
        Bytes = Math.Min(Bytes, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
