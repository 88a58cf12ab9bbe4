// The naive model of a domain: a sorted set of pages, and nothing that is fast.
using System.Numerics;

namespace IommuRcu.Tests.PageTables.Formats;

/// <summary>One mapped page of the model.</summary>
internal sealed class NaivePage(ulong first, ulong size, ulong address, IommuAccess access, bool dirty)
{
    internal ulong First { get; } = first;

    internal ulong Size { get; } = size;

    internal ulong Last => First + (Size - 1);

    internal ulong Address { get; } = address;

    internal IommuAccess Access { get; set; } = access;

    internal bool Dirty { get; set; } = dirty;
}

/// <summary>What a domain of a format must hold after a sequence of operations.</summary>
internal sealed class NaiveMappings<TFormat>
    where TFormat : struct, IPageTableFormat
{
    private readonly SortedSet<ulong> _firsts = [];
    private readonly Dictionary<ulong, NaivePage> _pages = [];
    private readonly ulong _pageSizes;

    /// <param name="addressBits">The width of an IOVA in bits.</param>
    /// <param name="levels">The depth that the width gives: larger pages than its tables hold are not used.</param>
    /// <param name="allowed">The page sizes that the domain was told to use.</param>
    internal NaiveMappings(int addressBits, int levels, ulong allowed = ulong.MaxValue)
    {
        foreach (int sizeLog2 in Enumerable.Range(TFormat.GranuleLog2, 64 - TFormat.GranuleLog2))
        {
            int level = (sizeLog2 - TFormat.GranuleLog2) / (TFormat.GranuleLog2 - 3);
            ulong bit = 1UL << sizeLog2;
            if ((TFormat.PageSizes & allowed & bit) != 0 && level < levels && sizeLog2 <= addressBits)
            {
                _pageSizes |= bit;
            }
        }
    }

    internal int Count => _firsts.Count;

    internal ulong PageSizes => _pageSizes;

    internal IEnumerable<NaivePage> Pages => _firsts.Select(first => _pages[first]);

    /// <summary>Splits a range into pages, the largest first that alignment and length allow; null when there are more than a number.</summary>
    internal List<NaivePage>? Split(ulong first, ulong address, ulong size, IommuAccess access, int most)
    {
        var pages = new List<NaivePage>();
        while (size != 0)
        {
            int sizeLog2 = 63;
            while ((_pageSizes & (1UL << sizeLog2)) == 0 || ((first | address) & ((1UL << sizeLog2) - 1)) != 0 || 1UL << sizeLog2 > size)
            {
                sizeLog2--;
            }

            int level = (sizeLog2 - TFormat.GranuleLog2) / (TFormat.GranuleLog2 - 3);
            bool dirty = TFormat.DirtyMask != 0 && (TFormat.LeafAttributes(level, sizeLog2, access) & TFormat.DirtyMask) == TFormat.DirtyValue;
            pages.Add(new NaivePage(first, 1UL << sizeLog2, address, access, dirty));
            if (pages.Count > most)
            {
                return null;
            }

            first += 1UL << sizeLog2;
            address += 1UL << sizeLog2;
            size -= 1UL << sizeLog2;
        }

        return pages;
    }

    internal void Add(List<NaivePage> pages)
    {
        foreach (NaivePage page in pages)
        {
            Assert.True(_firsts.Add(page.First));
            _pages.Add(page.First, page);
        }
    }

    internal NaivePage? Find(ulong iova)
    {
        ulong first = _firsts.GetViewBetween(0, iova).Max;
        return _pages.TryGetValue(first, out NaivePage? page) && page.First <= iova && iova <= page.Last ? page : null;
    }

    internal List<NaivePage> Within(ulong first, ulong last)
    {
        var found = new List<NaivePage>();
        if (Find(first) is { } reaching && reaching.First < first)
        {
            found.Add(reaching);
        }

        found.AddRange(_firsts.GetViewBetween(first, last).Select(start => _pages[start]));
        return found;
    }

    internal void Remove(NaivePage page)
    {
        Assert.True(_firsts.Remove(page.First));
        _pages.Remove(page.First);
    }

    internal NaivePage Random(Random random) => _pages[_firsts.ElementAt(random.Next(_firsts.Count))];

    internal int[] UsableSizeLog2s() => Enumerable.Range(0, 64).Where(bit => (_pageSizes & (1UL << bit)) != 0).ToArray();

    internal int LargestLog2() => BitOperations.Log2(_pageSizes);
}
