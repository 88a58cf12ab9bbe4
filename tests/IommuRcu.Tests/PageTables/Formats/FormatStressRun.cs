// Mappers, a walker and a scanner on one domain at once. Every translation that anybody sees must be one that was mapped there.
using System.Numerics;

namespace IommuRcu.Tests.PageTables.Formats;

/// <summary>
/// Stresses a domain of a format. A mapping's physical address is its offset plus a multiple of 2^42 that says which of eight variants it is; the variant says
/// the access. So whoever sees a translation knows whether it ever was mapped there: poison, a reused table or a torn entry gives an address that was not.
/// </summary>
internal sealed class FormatStressRun<TFormat>
    where TFormat : struct, IPageTableFormat
{
    private const int VariantLog2 = 42;
    private const int Variants = 8;
    private const int Mappers = 2;

    private readonly FormatDomain<TFormat> _tested;
    private readonly int _seed;
    private readonly ulong _origin;
    private readonly ulong _share;
    private readonly ulong _span;
    private readonly int[] _sizeLog2s;
    private readonly CancellationTokenSource _failed = new();
    private volatile bool _stop;
    private long _operations;
    private long _translations;

    internal FormatStressRun(FormatDomain<TFormat> tested, int seed)
    {
        _tested = tested;
        _seed = seed;

        // Each mapper has the range of one table of leaves and a half: neighbours share a table.
        int tableLog2 = TFormat.GranuleLog2 + TFormat.GranuleLog2 - 3;
        _share = (1UL << tableLog2) + (1UL << (tableLog2 - 1));
        _span = BitOperations.RoundUpToPowerOf2(Mappers * _share);
        // High up, but not at the last page: an end of 2^64 is a matter of other tests.
        (ulong first, ulong size) = tested.Halves[1];
        _origin = first + (size - (2 * _span));
        ulong fitting = TFormat.PageSizes & ((1UL << (tableLog2 + 1)) - 1);
        _sizeLog2s = Enumerable.Range(0, 64).Where(bit => (fitting & (1UL << bit)) != 0).ToArray();
    }

    internal long Operations => _operations;

    internal long Translations => _translations;

    internal void Run(TimeSpan duration)
    {
        var failures = new List<Exception>();
        var threads = new List<Thread>();
        for (int mapper = 0; mapper < Mappers; mapper++)
        {
            int index = mapper;
            Add(() => Map(index, new Random(_seed + index)));
        }

        Add(() => Read(new Random(_seed + 100)));
        Add(() => Scan(new Random(_seed + 101)));
        threads.ForEach(thread => thread.Start());
        _failed.Token.WaitHandle.WaitOne(duration);
        _stop = true;
        threads.ForEach(thread => thread.Join());
        Assert.Empty(failures);

        void Add(Action body) => threads.Add(new Thread(() =>
        {
            try
            {
                body();
            }
            catch (Exception failure)
            {
                lock (failures)
                {
                    failures.Add(failure);
                }

                _failed.Cancel();
            }
        }));
    }

    private static IommuAccess AccessOf(int variant) => (variant & 1) == 0 ? IommuAccess.Read | IommuAccess.Write : IommuAccess.Read;

    private void Map(int mapper, Random random)
    {
        ulong from = (ulong)mapper * _share;
        ulong granule = 1UL << TFormat.GranuleLog2;
        var mapped = new List<(ulong Offset, ulong Size, int Variant)>();
        while (!_stop)
        {
            if (mapped.Count < 24 && random.Next(5) < 3)
            {
                ulong unit = 1UL << _sizeLog2s[random.Next(_sizeLog2s.Length)];
                ulong size = random.Next(2) == 0 ? unit : granule * (ulong)random.Next(1, 9);
                ulong align = random.Next(2) == 0 ? unit : granule;
                ulong offset = (from + ((ulong)random.NextInt64() % _share)) & ~(align - 1);
                if (offset < from || offset + size > from + _share || mapped.Exists(other => offset < other.Offset + other.Size && other.Offset < offset + size))
                {
                    continue;
                }

                int variant = random.Next(Variants);
                ulong address = offset + ((ulong)(variant + 1) << VariantLog2);
                _tested.Domain.Map(new Iova(_origin + offset), new PhysicalAddress(address), size, AccessOf(variant));
                mapped.Add((offset, size, variant));
                AssertMapped(offset, variant);
                AssertMapped(offset + (size - 1), variant);
                if ((variant & 1) == 0 && TFormat.DirtyMask != 0)
                {
                    _tested.Write(_origin + offset + ((ulong)random.NextInt64() % size));
                }
            }
            else if (mapped.Count != 0)
            {
                int index = random.Next(mapped.Count);
                (ulong offset, ulong size, int variant) = mapped[index];
                mapped.RemoveAt(index);
                AssertMapped(offset, variant);
                Assert.Equal(size, _tested.Domain.Unmap(new Iova(_origin + offset), size));
                Assert.False(_tested.Domain.TryTranslate(new Iova(_origin + offset), out _));
                Assert.False(_tested.Domain.TryTranslate(new Iova(_origin + offset + (size - 1)), out _));
            }

            Interlocked.Increment(ref _operations);
        }

        foreach ((ulong offset, ulong size, int variant) in mapped)
        {
            AssertMapped(offset, variant);
            Assert.Equal(size, _tested.Domain.Unmap(new Iova(_origin + offset), size));
        }
    }

    // Nobody else maps here: what was mapped is there, whatever happens to the tables around it.
    private void AssertMapped(ulong offset, int variant)
    {
        Assert.True(_tested.Domain.TryTranslate(new Iova(_origin + offset), out Translation translation));
        Assert.Equal(offset + ((ulong)(variant + 1) << VariantLog2), translation.Address.Value);
        Assert.Equal(AccessOf(variant), translation.Access);
    }

    private void Read(Random random)
    {
        while (!_stop)
        {
            for (int look = 0; look < 200; look++)
            {
                ulong offset = (ulong)random.NextInt64() % _span;
                if (_tested.Domain.TryTranslate(new Iova(_origin + offset), out Translation translation))
                {
                    AssertEverMapped(offset, translation.Address.Value, translation.Access, translation.PageSize);
                    Interlocked.Increment(ref _translations);
                }
            }

            using (Rcu.ReadLock())
            {
                ulong next = _origin;
                foreach (PageTableLeaf leaf in _tested.Domain.Walk(new Iova(_origin), _span))
                {
                    // Not its first address: a larger page may have come in the place of one that was met already.
                    Assert.True(leaf.Iova.Value + (leaf.Size - 1) >= next, "A walk goes up.");
                    next = leaf.Iova.Value + leaf.Size;
                    AssertEverMapped(leaf.Iova.Value - _origin, leaf.Address.Value, leaf.Access, leaf.Size);
                    Interlocked.Increment(ref _translations);
                }
            }
        }
    }

    private void Scan(Random random)
    {
        if (TFormat.DirtyMask == 0)
        {
            return;
        }

        var bitmap = new DirtyBitmap(new Iova(_origin), _span, TFormat.GranuleLog2);
        while (!_stop)
        {
            _tested.Domain.ReadDirty(
                new Iova(_origin), _span, bitmap, random.Next(4) == 0 ? DirtyReadMode.Peek : DirtyReadMode.ReadAndClear);
        }
    }

    private void AssertEverMapped(ulong offset, ulong address, IommuAccess access, ulong pageSize)
    {
        ulong distance = address - offset;
        ulong variant = (distance >> VariantLog2) - 1;
        Assert.True(
            (distance & ((1UL << VariantLog2) - 1)) == 0 && variant < Variants && access == AccessOf((int)variant)
                && (TFormat.PageSizes & pageSize) == pageSize && BitOperations.IsPow2(pageSize),
            $"0x{address:x} with {access} and a page of 0x{pageSize:x} was never mapped at offset 0x{offset:x}.");
    }
}
