// Random operations on a domain, told to the model at the same time, and random accesses that look where it matters.
using IommuRcu.Conformance.Tests.Judging;
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;

namespace IommuRcu.Conformance.Tests.Operations;

internal sealed class RandomMappings
{
    private const int SpanLog2 = 26;
    private readonly ConformanceSession _session;
    private readonly Random _random;
    private readonly ulong[] _spots;
    private readonly int[] _pageSizeLog2s;
    private readonly List<ulong> _lastUnmapped = [];
    private readonly List<(ulong First, ulong Size)> _split = [];

    public RandomMappings(ConformanceSession session, Random random)
    {
        _session = session;
        _random = random;
        int bits = JudgedBits;
        ulong top = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
        ulong half = 1UL << (bits - 1);

        // Around the corners of tables and of the whole space; each spot is the middle of a span.
        ulong[] spots = [1UL << SpanLog2, 1UL << 30, 3UL << 30, 1UL << 35, half - (1UL << SpanLog2), half + (1UL << SpanLog2), top - (1UL << SpanLog2)];
        _spots = [.. spots.Where(s => s < top).Select(s => session.Domain.IsSignExtended && s >= half ? s | ~top : s)];
        _pageSizeLog2s = [.. Enumerable.Range(0, 64).Where(i => (session.Domain.PageSizes & session.Case.PageSizes & (1UL << i)) != 0)];
    }

    public int Operations { get; private set; }

    public int Splits { get; private set; }

    public int Merges { get; private set; }

    private int JudgedBits => _session.Case.JudgedAddressBits != 0 ? _session.Case.JudgedAddressBits : _session.Domain.AddressBits;

    /// <summary>One random operation. The model follows the library, and what the library returns is checked.</summary>
    public void Operate()
    {
        Operations++;
        int segments = _session.Model.Segments.Count;
        int what = _random.Next(100);
        if (segments == 0 || what < (segments > 150 ? 25 : 55))
        {
            Map();
        }
        else if (what < 60)
        {
            MapOverMapping();
        }
        else if (what < 66)
        {
            (ulong first, ulong last) = SomethingMapped();
            IommuAccess access = RandomAccess();
            if (ChangesMemoryType(first, last, access))
            {
                Assert.Throws<ArgumentException>(() => _session.Domain.Protect(new Iova(first), last - first + 1, access));
                return;
            }

            Assert.Equal(_session.Model.Protect(first, last, access), _session.Domain.Protect(new Iova(first), last - first + 1, access));
        }
        else if (what < 71)
        {
            Split();
        }
        else if (what < 76)
        {
            Merge();
        }
        else if (what < 88)
        {
            (ulong first, ulong last) = SomethingMapped();
            ulong expected = Forget(first, last);
            Assert.Equal(expected, _session.Domain.Unmap(new Iova(first), last - first + 1));
        }
        else
        {
            OperateWithGather();
        }
    }

    // Several changes, one flush; until then only the device knows of the old state.
    private void OperateWithGather()
    {
        var gather = new IotlbGather(_session.Domain);
        try
        {
            for (int i = _random.Next(1, 5); i > 0 && _session.Model.Segments.Count > 0; i--)
            {
                (ulong first, ulong last) = SomethingMapped();
                if (_random.Next(4) == 0)
                {
                    IommuAccess access = RandomAccess();
                    if (ChangesMemoryType(first, last, access))
                    {
                        continue;
                    }

                    Assert.Equal(
                        _session.Model.Protect(first, last, access), _session.Domain.Protect(new Iova(first), last - first + 1, access, ref gather));
                }
                else
                {
                    ulong expected = Forget(first, last);
                    Assert.Equal(expected, _session.Domain.Unmap(new Iova(first), last - first + 1, ref gather));
                }
            }
            gather.Sync();
        }
        finally
        {
            gather.Dispose();
        }
    }

    // Arm entries do not change their memory type while they are valid: the library refuses.
    private bool ChangesMemoryType(ulong first, ulong last, IommuAccess access) =>
        _session.Case.Architecture == QemuArchitecture.Arm64
        && _session.Model.Segments.Any(s => s.First <= last && first <= s.Last && ((s.Access ^ access) & (IommuAccess.Cacheable | IommuAccess.Mmio)) != 0);

    // The mapping stays what it is; only its pages become smaller, or larger.
    private void Split()
    {
        Segment segment = _session.Model.Segments[_random.Next(_session.Model.Segments.Count)];
        ulong within = segment.First + (ulong)_random.NextInt64((long)ulong.Min(segment.Last - segment.First, long.MaxValue - 1) + 1);
        Assert.True(_session.Domain.TryTranslate(new Iova(within), out Translation translation));
        int[] smaller = [.. _pageSizeLog2s.Where(l => 1UL << l < translation.PageSize && translation.PageSize >> l <= 4096)];
        if (smaller.Length == 0 || !_session.ReplacesPagesInPlace)
        {
            return;
        }
        ulong size = 1UL << smaller[_random.Next(smaller.Length)];
        ulong page = within & ~(translation.PageSize - 1);
        int split = _session.Domain.Split(new Iova(page), translation.PageSize, size);
        // Some pages take more than one step: first into pages of the table's own size, then each of those.
        Assert.True(split >= 1, $"Splitting 0x{page:x} of 0x{translation.PageSize:x} bytes to 0x{size:x}: {split}");
        _split.Add((page, translation.PageSize));
        Assert.True(_session.Domain.TryTranslate(new Iova(within), out translation));
        Assert.Equal(size, translation.PageSize);
        Splits++;
    }

    private void Merge()
    {
        Segment segment = _session.Model.Segments[_random.Next(_session.Model.Segments.Count)];
        int[] fitting = [.. _pageSizeLog2s.Where(l => l <= 30 && l > _session.Domain.GranuleLog2 && 1UL << l <= segment.Last - segment.First + 1)];
        if (fitting.Length == 0 || !_session.ReplacesPagesInPlace)
        {
            return;
        }
        ulong size = 1UL << fitting[_random.Next(fitting.Length)];
        ulong first = (segment.First + size - 1) & ~(size - 1);
        if (_split.Count > 0 && _random.Next(4) != 0)
        {
            // Mostly what was split before, if it is still there: other ranges were mapped with the largest pages from the start.
            int which = _random.Next(_split.Count);
            (first, size) = _split[which];
            _split.RemoveAt(which);
            segment = _session.Model.Find(first) ?? segment;
        }
        if (first < segment.First || first > segment.Last || segment.Last - first < size - 1)
        {
            return;
        }
        Assert.True(_session.Domain.TryTranslate(new Iova(first), out Translation before));
        bool merged = _session.Domain.TryMerge(new Iova(first), size);
        if (before.PageSize >= size)
        {
            return;
        }
        Assert.True(merged == ((segment.AddressOf(first) & (size - 1)) == 0), $"Merging {segment} at 0x{first:x} to 0x{size:x}: {merged}");
        if (merged)
        {
            Assert.True(_session.Domain.TryTranslate(new Iova(first), out Translation after));
            Assert.Equal(size, after.PageSize);
            Merges++;
        }
    }

    /// <summary>Accesses at the borders of mappings and pages, within, beside, and where something was mapped before.</summary>
    public IEnumerable<DmaAccess> Accesses(Judge judge, int count)
    {
        for (int i = 0, tries = 0; i < count && tries < count * 20; tries++)
        {
            DmaAccess access = Access();
            if (judge.IsSafe(access))
            {
                i++;
                yield return access;
            }
        }
        _lastUnmapped.Clear();
    }

    /// <summary>Compares the library's own translation of some addresses with the model.</summary>
    public void CheckTranslations(int count)
    {
        for (int i = 0; i < count; i++)
        {
            ulong iova = Access().Address.Value;
            Segment? segment = _session.Model.Find(iova);
            if (iova >= _session.Reserved.First && iova <= _session.Reserved.Last)
            {
                continue;
            }
            bool found = _session.Domain.TryTranslate(new Iova(iova), out Translation translation);
            Assert.True(found == segment.HasValue, $"0x{iova:x} translates: {found}, but the model says {segment}");
            if (segment is { } s)
            {
                Assert.Equal(new PhysicalAddress(s.AddressOf(iova)), translation.Address);
                Assert.Equal(s.Access, translation.Access);
            }
        }
    }

    private void Map()
    {
        (ulong first, ulong address, ulong size) = Mapping();
        if (size == 0 || !Fits(first, size) || _session.Model.Overlaps(first, first + size - 1))
        {
            return;
        }
        IommuAccess access = RandomAccess();
        _session.Domain.Map(new Iova(first), new PhysicalAddress(address), size, access);
        _session.Model.Map(first, first + size - 1, address, access);
    }

    private void MapOverMapping()
    {
        Segment segment = _session.Model.Segments[_random.Next(_session.Model.Segments.Count)];
        ulong granule = _session.Granule;
        ulong first = segment.First + (granule * (ulong)_random.NextInt64((long)((segment.Last - segment.First + 1) / granule)));
        ulong before = first - (granule * (ulong)_random.Next(3));
        ulong size = first - before + (granule * (ulong)_random.Next(1, 4));
        if (before <= first && Fits(before, size))
        {
            ulong address = _session.Data[0].First;
            Assert.Throws<IovaInUseException>(() => _session.Domain.Map(new Iova(before), new PhysicalAddress(address), size, IommuAccess.Read));
        }
    }

    // An IOVA, an address and a size that make the library choose pages of a certain size, or of several.
    private (ulong First, ulong Address, ulong Size) Mapping()
    {
        int log2 = _pageSizeLog2s[_random.Next(_pageSizeLog2s.Length)];
        if (_random.Next(3) == 0)
        {
            log2 = _pageSizeLog2s[_random.Next(int.Min(2, _pageSizeLog2s.Length))];
        }
        ulong page = 1UL << log2;
        ulong granule = _session.Granule;
        ulong spot = _spots[_random.Next(_spots.Length)] + (ulong)_random.NextInt64(-(1L << SpanLog2), 1L << SpanLog2);
        ulong first = spot & ~(page - 1);
        ulong size = page * (ulong)(log2 >= 30 ? 1 : _random.Next(1, 4));
        ulong address = Data(log2, size);

        int shape = _random.Next(4);
        if (shape == 0)
        {
            // Some granules before and after: the page size changes inside the range.
            ulong before = granule * (ulong)_random.Next(0, 5);
            if (first >= before && address >= before)
            {
                (first, address, size) = (first - before, address - before, size + before + (granule * (ulong)_random.Next(0, 5)));
            }
        }
        else if (shape == 1 && size / granule > 1)
        {
            // Not aligned to each other: granules only.
            address += granule;
            size = ulong.Min(size, granule * (ulong)_random.Next(1, 600));
        }
        return (first, address, size);
    }

    private ulong Data(int log2, ulong size)
    {
        (ulong first, ulong last) = _session.Data[_random.Next(_session.Data.Count)];
        ulong page = 1UL << log2;
        if (size >= last - first)
        {
            return 0;
        }
        ulong at = first + (ulong)_random.NextInt64((long)(last - first - size));
        return at & ~(page - 1);
    }

    private bool Fits(ulong first, ulong size)
    {
        ulong last = first + size - 1;
        int bits = JudgedBits;
        ulong top = bits == 64 ? ulong.MaxValue : (1UL << bits) - 1;
        bool inside = _session.Domain.IsSignExtended
            ? last >= first && (last <= top >> 1 || first >= ~(top >> 1))
            : last >= first && last <= top;
        // The interrupt window of x86 machines is not translated.
        const ulong InterruptFirst = 0xfee0_0000;
        const ulong InterruptLast = 0xfeef_ffff;
        return inside
            && (last < _session.Reserved.First || first > _session.Reserved.Last)
            && (last < InterruptFirst || first > InterruptLast);
    }

    private IommuAccess RandomAccess()
    {
        IommuAccess attributes = _session.Case.Attributes[_random.Next(_session.Case.Attributes.Count)];
        return _random.Next(10) switch
        {
            < 3 => IommuAccess.Read | attributes,
            3 when _session.Case.HasWriteOnly => IommuAccess.Write | (attributes & ~IommuAccess.Execute),
            _ => IommuAccess.Read | IommuAccess.Write | attributes,
        };
    }

    // A range around something mapped, widened to whole pages: a part of a page cannot be unmapped.
    private (ulong First, ulong Last) SomethingMapped()
    {
        IReadOnlyList<Segment> segments = _session.Model.Segments;
        Segment segment = segments[_random.Next(segments.Count)];
        ulong granules = (segment.Last - segment.First + 1) / _session.Granule;
        ulong from = segment.First + (_session.Granule * (ulong)_random.NextInt64((long)granules));
        ulong to = from + (_session.Granule * (ulong)_random.NextInt64(1, (long)ulong.Min(granules, 1UL << 20) + 4)) - 1;
        if (_random.Next(3) == 0)
        {
            (from, to) = (segment.First, segment.Last);
        }
        if (to < from || !Fits(from, to - from + 1))
        {
            to = segment.Last;
        }
        if (_session.Domain.TryTranslate(new Iova(from), out Translation first))
        {
            from &= ~(first.PageSize - 1);
        }
        if (_session.Domain.TryTranslate(new Iova(to), out Translation last))
        {
            to |= last.PageSize - 1;
        }
        return (from, to);
    }

    private ulong Forget(ulong first, ulong last)
    {
        ulong removed = _session.Model.Unmap(first, last);
        _lastUnmapped.Add(first);
        _lastUnmapped.Add(last);
        return removed;
    }

    private DmaAccess Access()
    {
        int length = _random.Next(3) switch
        {
            0 => _random.Next(1, 16),
            1 => _random.Next(1, 600),
            _ => _random.Next(1, EduDevice.MaxLength + 1),
        };
        bool isWrite = _random.Next(2) == 0;
        IReadOnlyList<Segment> segments = _session.Model.Segments;
        ulong iova;
        if (_lastUnmapped.Count > 0 && _random.Next(6) == 0)
        {
            iova = _lastUnmapped[_random.Next(_lastUnmapped.Count)] - (ulong)_random.Next(length);
        }
        else if (segments.Count == 0 || _random.Next(20) == 0)
        {
            iova = _spots[_random.Next(_spots.Length)] + (ulong)_random.NextInt64(-(1L << SpanLog2), 1L << SpanLog2);
        }
        else
        {
            Segment segment = segments[_random.Next(segments.Count)];
            ulong size = segment.Last - segment.First + 1;
            ulong within = segment.First + (ulong)_random.NextInt64((long)ulong.Min(size, long.MaxValue));
            (ulong dataFirst, ulong dataLast) = _session.Data[_random.Next(_session.Data.Count)];
            (dataFirst, dataLast) = (ulong.Max(dataFirst, segment.Address), ulong.Min(dataLast, segment.AddressOf(segment.Last)));
            if (dataFirst <= dataLast && _random.Next(2) == 0)
            {
                // Of a page larger than the memory, the part that there is.
                within = segment.First + (dataFirst - segment.Address) + (ulong)_random.NextInt64((long)(dataLast - dataFirst) + 1);
            }
            ulong pageSize = _session.Domain.TryTranslate(new Iova(within), out Translation translation) ? translation.PageSize : _session.Granule;
            iova = _random.Next(8) switch
            {
                0 => segment.First - (ulong)_random.Next(length + 1),
                1 => segment.Last + 1 - (ulong)_random.Next(length + 1),
                2 => (within & ~(pageSize - 1)) - (ulong)_random.Next(length + 1),
                3 => (within | (pageSize - 1)) + 1 - (ulong)_random.Next(length + 1),
                4 => (within & ~(_session.Granule - 1)) - (ulong)_random.Next(length + 1),
                _ => within,
            };
        }
        if (!Fits(iova, (ulong)length))
        {
            // An access that leaves the space is not one that the tables say anything of.
            iova = segments.Count == 0 ? _spots[0] : segments[_random.Next(segments.Count)].First;
            length = int.Min(length, 64);
        }
        return new DmaAccess(new Iova(iova), length, isWrite);
    }
}
