// Retiring alone, without the unmapping around it: lists of gathered pages are handed to a strategy, until the last page is free again.
using System.Diagnostics;
using IommuRcu.Benchmarks.Measuring;
using IommuRcu.Memory;

namespace IommuRcu.Benchmarks.Gathers;

/// <summary>Nanoseconds a page from the first list handed over until the last page is free again; 1024 pages in a round, or one list.</summary>
internal sealed class Retiring(string name, PageAllocator allocator, RetireStrategy strategy, int pagesPerList) : Contender(name)
{
    private readonly PageList[] _lists = new PageList[Math.Max(1, 1024 / pagesPerList)];

    public override void Round(Span<double> ns)
    {
        for (int i = 0; i < _lists.Length; i++)
        {
            for (int page = 0; page < pagesPerList; page++)
            {
                // As the engine does, but into no table.
                TablePage one = allocator.Allocate();
                one.MarkLinked();
                one.MarkUnlinked();
                one.MarkGathered();
                _lists[i].Add(one);
            }
        }

        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < _lists.Length; i++)
        {
            strategy.Retire(allocator, ref _lists[i]);
        }

        Rcu.Barrier();
        ns[0] = Since(start, (long)_lists.Length * pagesPerList);
    }
}
