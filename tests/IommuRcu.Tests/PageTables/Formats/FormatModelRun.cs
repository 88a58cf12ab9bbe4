// Random operations on a domain of one format, each compared with the naive model, and with a walk that is written from the specification.
using IommuRcu.Tests.PageTables.Formats.Walkers;

namespace IommuRcu.Tests.PageTables.Formats;

/// <summary>Drives a domain and its model through the same operations.</summary>
internal sealed partial class FormatModelRun<TFormat> : IDisposable
    where TFormat : struct, IPageTableFormat
{
    private const int MostPages = 1500;

    private readonly Random _random;
    private readonly FormatDomain<TFormat> _tested;
    private readonly NaiveMappings<TFormat> _model;
    private readonly int[] _sizeLog2s;
    private readonly IommuAccess[] _accesses;
    private readonly SpecifiedWalker? _walker;

    internal FormatModelRun(int addressBits, int seed, SpecifiedWalker? walker = null, ulong pageSizes = ulong.MaxValue)
    {
        _walker = walker;
        _random = new Random(seed);
        _tested = new FormatDomain<TFormat>(addressBits, pageSizes: pageSizes, replacesWithoutBreak: _random.Next(2) == 0);
        _model = new NaiveMappings<TFormat>(addressBits, _tested.Levels, pageSizes);
        _sizeLog2s = _model.UsableSizeLog2s();
        _accesses = Enumerable.Range(1, 63).Select(bits => (IommuAccess)bits).Where(TFormat.Supports).ToArray();
        Assert.Equal(_model.PageSizes, _tested.Domain.PageSizes & _model.PageSizes);
    }

    internal int Mapped { get; private set; }

    internal int Refused { get; private set; }

    internal int Unmapped { get; private set; }

    internal int DirtyFound { get; private set; }

    internal int Protected { get; private set; }

    internal int SplitPages { get; private set; }

    internal int Merged { get; private set; }

    internal HashSet<ulong> SizesSeen { get; } = [];

    internal void Step()
    {
        switch (_random.Next(26))
        {
            case < 7:
                Map();
                break;
            case < 9:
                Unmap();
                break;
            case < 11:
                UnmapWhole();
                break;
            case < 15:
                Write();
                break;
            case < 18:
                ReadDirty();
                break;
            case < 20:
                Protect();
                break;
            case < 22:
                Split();
                break;
            case < 24:
                Merge();
                break;
            case < 25:
                ReadAccessed();
                break;
            default:
                Translate();
                break;
        }
    }

    /// <summary>Compares every page of the aperture, and translates one address in each.</summary>
    internal void CompareAll()
    {
        List<PageTableLeaf> leaves = _tested.Walk();
        Assert.Equal(_model.Count, leaves.Count);
        foreach ((PageTableLeaf leaf, NaivePage page) in leaves.Zip(_model.Pages))
        {
            AssertSame(leaf, page);
        }
    }

    public void Dispose()
    {
        foreach ((ulong first, ulong size) in _tested.Halves)
        {
            ulong expected = 0;
            foreach (NaivePage page in _model.Within(first, first + (size - 1)))
            {
                expected += page.Size;
            }

            Assert.Equal(expected, _tested.Domain.Unmap(new Iova(first), size));
        }

        Assert.Empty(_tested.Walk());
        _tested.Dispose();
    }

    private void Map()
    {
        (ulong first, ulong size) = RandomRange();
        ulong address = RandomAddress(first, size);
        IommuAccess access = _accesses[_random.Next(_accesses.Length)];
        if (_model.Split(first, address, size, access, MostPages) is not { } pages)
        {
            return;
        }

        if (_model.Within(first, first + (size - 1)).Count != 0)
        {
            Assert.Throws<IovaInUseException>(() => _tested.Domain.Map(new Iova(first), new PhysicalAddress(address), size, access));
            Refused++;
            return;
        }

        _tested.Domain.Map(new Iova(first), new PhysicalAddress(address), size, access);
        _model.Add(pages);
        Mapped++;
        foreach (NaivePage page in pages)
        {
            SizesSeen.Add(page.Size);
        }

        Compare(first, size);
    }

    private void UnmapWhole()
    {
        if (_model.Count == 0)
        {
            return;
        }

        // One page, or all that lies within one page more on each side and does not reach out.
        NaivePage page = _model.Random(_random);
        (ulong first, ulong size) = (page.First, page.Size);
        (ulong halfFirst, ulong halfSize) = _tested.Halves[first >= _tested.Halves[1].First ? 1 : 0];
        if (_random.Next(2) == 0 && first - halfFirst >= size && (halfSize - size) - (first - halfFirst) >= size)
        {
            (first, size) = (first - size, 3 * size);
        }

        Unmap(first, size);
    }

    private void Unmap()
    {
        (ulong first, ulong size) = RandomRange();
        Unmap(first, size);
    }

    private void Unmap(ulong first, ulong size)
    {
        ulong last = first + (size - 1);
        List<NaivePage> pages = _model.Within(first, last);
        if (pages.Any(page => page.First < first || page.Last > last))
        {
            Assert.ThrowsAny<ArgumentException>(() => _tested.Domain.Unmap(new Iova(first), size));
            Compare(first, size);
            Refused++;
            return;
        }

        ulong expected = pages.Aggregate(0UL, (sum, page) => sum + page.Size);
        if (_random.Next(2) == 0)
        {
            Assert.Equal(expected, _tested.Domain.Unmap(new Iova(first), size));
        }
        else
        {
            DirtyBitmap expectedDirty = NewBitmap(first, size);
            pages.ForEach(page => SetIfDirty(expectedDirty, page));
            DirtyBitmap dirty = NewBitmap(first, size);
            var gather = new IotlbGather(_tested.Domain);
            Assert.Equal(expected, _tested.Domain.Unmap(new Iova(first), size, ref gather, dirty));
            gather.Sync();
            AssertSame(expectedDirty, dirty);
        }

        pages.ForEach(_model.Remove);
        Unmapped += pages.Count;
        Compare(first, size);
    }

    private void Write()
    {
        if (TFormat.DirtyMask == 0 || _model.Count == 0)
        {
            return;
        }

        // Any item of a run.
        for (int writes = _random.Next(1, 6); writes > 0; writes--)
        {
            NaivePage page = _model.Random(_random);
            if ((page.Access & IommuAccess.Write) != 0)
            {
                _tested.Write(page.First + ((ulong)_random.NextInt64() & (page.Size - 1)));
                page.Dirty = true;
            }
        }
    }

    private void ReadDirty()
    {
        if (TFormat.DirtyMask == 0)
        {
            return;
        }

        // One page and a little more, half of one, or any range.
        (ulong first, ulong size) = RandomRange();
        if (_model.Count != 0 && _random.Next(3) != 0)
        {
            NaivePage page = _model.Random(_random);
            (first, size) = (page.First, _random.Next(4) == 0 ? Math.Max(1, page.Size / 2) : page.Size);
        }

        ulong last = first + (size - 1);
        bool clears = _random.Next(2) == 0;
        DirtyBitmap expected = NewBitmap(first, size);
        foreach (NaivePage page in _model.Within(first, last))
        {
            SetIfDirty(expected, page);
            DirtyFound += page.Dirty ? 1 : 0;
            if (clears && page.First >= first && page.Last <= last)
            {
                page.Dirty = false;
            }
        }

        DirtyBitmap dirty = NewBitmap(first, size);
        _tested.Domain.ReadDirty(new Iova(first), size, dirty, clears ? DirtyReadMode.ReadAndClear : DirtyReadMode.Peek);
        AssertSame(expected, dirty);
        Compare(first, size);
    }

    private void Translate()
    {
        (ulong first, ulong size) = RandomRange();
        AssertTranslates(first);
        AssertTranslates(first + (size - 1));
        AssertTranslates(first + ((ulong)_random.NextInt64() % size));
        if (_model.Count != 0)
        {
            NaivePage page = _model.Random(_random);
            AssertTranslates(page.First + ((ulong)_random.NextInt64() & (page.Size - 1)));
            AssertTranslates(page.Last + 1);
        }
    }

    private void AssertTranslates(ulong iova)
    {
        NaivePage? page = _model.Find(iova);
        Assert.Equal(page is not null, _tested.Domain.TryTranslate(new Iova(iova), out Translation translation));
        if (page is not null)
        {
            Assert.Equal(new PhysicalAddress(page.Address + (iova - page.First)), translation.Address);
            Assert.Equal(page.Access, translation.Access);
            Assert.Equal(page.Size, translation.PageSize);
        }

        if (_walker is not null)
        {
            SpecifiedWalk expected = page is null ? SpecifiedWalk.Hole : new SpecifiedWalk(
                true, page.Address + (iova - page.First), page.Size, (page.Access & IommuAccess.Read) != 0, (page.Access & IommuAccess.Write) != 0);
            Assert.Equal(expected, _walker(_tested.Memory, _tested.Domain.Root, _tested.AddressBits, iova));
        }
    }

    private void Compare(ulong first, ulong size)
    {
        List<PageTableLeaf> leaves = _tested.Walk(first, size);
        List<NaivePage> pages = _model.Within(first, first + (size - 1));
        Assert.Equal(pages.Count, leaves.Count);
        foreach ((PageTableLeaf leaf, NaivePage page) in leaves.Zip(pages))
        {
            AssertSame(leaf, page);
        }
    }

    private void AssertSame(PageTableLeaf leaf, NaivePage page)
    {
        Assert.Equal(
            (page.First, page.Size, page.Address, page.Access, page.Dirty),
            (leaf.Iova.Value, leaf.Size, leaf.Address.Value, leaf.Access, leaf.IsDirty));
        AssertTranslates(page.First + ((ulong)_random.NextInt64() & (page.Size - 1)));
    }

    private static void AssertSame(DirtyBitmap expected, DirtyBitmap actual)
    {
        Assert.Equal(Runs(expected), Runs(actual));

        static List<IovaRange> Runs(DirtyBitmap bitmap)
        {
            var runs = new List<IovaRange>();
            foreach (IovaRange run in bitmap)
            {
                runs.Add(run);
            }

            return runs;
        }
    }

    private static void SetIfDirty(DirtyBitmap bitmap, NaivePage page)
    {
        if (page.Dirty)
        {
            bitmap.Set(new Iova(page.First), page.Size);
        }
    }

    // A granule that keeps the bitmap small; now and then one below or above the pages'.
    private DirtyBitmap NewBitmap(ulong first, ulong size)
    {
        int granuleLog2 = TFormat.GranuleLog2;
        while (size >> granuleLog2 > 1 << 16)
        {
            granuleLog2++;
        }

        return new DirtyBitmap(new Iova(first), size, granuleLog2);
    }

    /// <summary>A range near an end of the aperture, its middle, or what is mapped; of pages of some size, or a little beside them.</summary>
    private (ulong First, ulong Size) RandomRange()
    {
        ulong granule = 1UL << TFormat.GranuleLog2;
        while (true)
        {
            ulong unit = 1UL << _sizeLog2s[_random.Next(_sizeLog2s.Length)];
            ulong size = unit * (ulong)_random.Next(1, 4);
            size = _random.Next(3) switch
            {
                0 => granule * (ulong)_random.Next(1, 40),
                1 => size - (granule * (ulong)_random.Next(3)),
                _ => size,
            };
            ulong distance = unit * (ulong)_random.Next(4);
            distance += _random.Next(3) == 0 ? granule * (ulong)_random.Next(40) : 0;
            (ulong halfFirst, ulong halfSize) = _tested.Halves[_random.Next(2)];
            ulong first = _random.Next(2) == 0 ? halfFirst + distance : halfFirst + (halfSize - distance - size);
            if (size != 0 && size >> TFormat.PhysicalAddressBits == 0 && size <= halfSize && distance <= halfSize - size)
            {
                return (first, size);
            }
        }
    }

    private ulong RandomAddress(ulong first, ulong size)
    {
        ulong most = 1UL << TFormat.PhysicalAddressBits;
        ulong mask = ~0UL << TFormat.GranuleLog2;
        int alignedLog2 = _sizeLog2s[_random.Next(_sizeLog2s.Length)];
        while (true)
        {
            ulong address = _random.Next(4) == 0 ? most - size : (ulong)_random.NextInt64() & (most - 1) & mask;
            if (_random.Next(3) != 0)
            {
                // Congruent to the IOVA up to some page size, so that such pages fit.
                ulong low = (1UL << alignedLog2) - 1;
                address = (address & ~low) | (first & low);
            }

            if (address < most && size <= most - address)
            {
                return address;
            }
        }
    }
}
