// The operations on what is mapped, compared with the model: access, page size, accessed state.
using System.Numerics;

namespace IommuRcu.Tests.PageTables.Formats;

internal sealed partial class FormatModelRun<TFormat>
{
    private const ulong MostParts = 2000;

    // What was split: to be merged back, if it is still there.
    private readonly List<NaivePage> _split = [];

    /// <summary>Gets whether the domain splits and merges: not where the format wants a break that its options do not lift.</summary>
    private bool CanReplace => !TFormat.NeedsBreakBeforeMake || _tested.Domain.Options.ReplacesWithoutBreak;

    private static bool IsDirty(ulong entry) => TFormat.DirtyMask != 0 && (entry & TFormat.DirtyMask) == TFormat.DirtyValue;

    private void Protect()
    {
        (ulong first, ulong size) = RandomRangeOrPage();
        ulong last = first + (size - 1);
        IommuAccess access = _accesses[_random.Next(_accesses.Length)];
        List<NaivePage> pages = _model.Within(first, last);
        const IommuAccess MemoryType = IommuAccess.Cacheable | IommuAccess.Mmio;
        if (pages.Any(page => page.First < first || page.Last > last)
            || (TFormat.NeedsBreakBeforeMake && pages.Any(page => ((page.Access ^ access) & MemoryType) != 0)))
        {
            Assert.ThrowsAny<ArgumentException>(() => _tested.Domain.Protect(new Iova(first), size, access));
            Compare(first, size);
            Refused++;
            return;
        }

        Assert.Equal(pages.Aggregate(0UL, (sum, page) => sum + page.Size), _tested.Domain.Protect(new Iova(first), size, access));
        foreach (NaivePage page in pages)
        {
            ulong fresh = TFormat.LeafAttributes(LevelOf(page.Size), BitOperations.Log2(page.Size), access);
            bool wasWritable = (page.Access & IommuAccess.Write) != 0;
            page.Dirty = page.Dirty ? IsDirty(TFormat.WithDirty(fresh)) : !wasWritable && IsDirty(fresh);
            page.Access = access;
        }

        Protected += pages.Count;
        Compare(first, size);
    }

    private void Split()
    {
        (ulong first, ulong size) = RandomRangeOrPage();
        ulong partSize = 1UL << _sizeLog2s[_random.Next(_sizeLog2s.Length)];
        while (_random.Next(8) != 0 && (partSize >= size || size / partSize > MostParts))
        {
            partSize = 1UL << _sizeLog2s[_random.Next(_sizeLog2s.Length)];
        }

        List<NaivePage> larger = _model.Within(first, first + (size - 1)).FindAll(page => page.Size > partSize);
        if (!CanReplace)
        {
            Assert.Throws<NotSupportedException>(() => _tested.Domain.Split(new Iova(first), size, partSize));
            return;
        }

        // Tables in between and large parts apart: nobody splits 2 PiB into 4 KiB.
        if (larger.Aggregate(0UL, (sum, page) => sum + (page.Size / partSize)) > MostParts)
        {
            return;
        }

        Assert.Equal(larger.Count, _tested.Domain.Split(new Iova(first), size, partSize));
        foreach (NaivePage page in larger)
        {
            _model.Remove(page);
            _split.Add(page);
            var parts = new List<NaivePage>();
            for (ulong offset = 0; offset < page.Size; offset += partSize)
            {
                parts.Add(new NaivePage(page.First + offset, partSize, page.Address + offset, page.Access, page.Dirty));
            }

            _model.Add(parts);
            Compare(page.First, page.Size);
        }

        SplitPages += larger.Count;
    }

    private void Merge()
    {
        if (_model.Count == 0)
        {
            return;
        }

        // Around a mapped page, or what was split before.
        NaivePage some = _model.Random(_random);
        ulong size = 1UL << _sizeLog2s[_random.Next(_sizeLog2s.Length)];
        ulong first = some.First & ~(size - 1);
        if (_split.Count != 0 && _random.Next(2) == 0)
        {
            int index = _random.Next(_split.Count);
            (first, size) = (_split[index].First, _split[index].Size);
            _split.RemoveAt(index);
        }

        if (!CanReplace)
        {
            Assert.Throws<NotSupportedException>(() => _tested.Domain.TryMerge(new Iova(first), size));
            return;
        }

        ulong last = first + (size - 1);
        List<NaivePage> pages = _model.Within(first, last);
        ulong mapped = pages.Aggregate(0UL, (sum, page) => sum + page.Size);
        bool isUniform = pages.TrueForAll(page => page.First >= first && page.Last <= last)
            && mapped == size
            && pages.TrueForAll(page => page.Address - page.First == pages[0].Address - pages[0].First && page.Access == pages[0].Access)
            && (pages[0].Address & (size - 1)) == 0;
        Assert.Equal(isUniform, _tested.Domain.TryMerge(new Iova(first), size));
        if (isUniform)
        {
            bool dirty = pages.Exists(page => page.Dirty);
            (ulong address, IommuAccess access) = (pages[0].Address, pages[0].Access);
            Merged += pages.Count > 1 ? 1 : 0;
            pages.ForEach(_model.Remove);
            _model.Add([new NaivePage(first, size, address, access, dirty)]);
        }

        Compare(first, size);
    }

    /// <summary>Accessed state, which is tracked for whole pages: what was accessed since it was cleared, and nothing else.</summary>
    private void ReadAccessed()
    {
        if (TFormat.AccessedMask == 0 || _model.Count == 0)
        {
            return;
        }

        NaivePage page = _model.Random(_random);
        DirtyBitmap bitmap = NewBitmap(page.First, page.Size);
        _tested.Domain.ReadAccessed(new Iova(page.First), page.Size, bitmap, DirtyReadMode.ReadAndClear);
        bitmap.Clear();
        _tested.Domain.ReadAccessed(new Iova(page.First), page.Size, bitmap, DirtyReadMode.Peek);
        Assert.True(bitmap.IsEmpty);
        Assert.False(Assert.Single(_tested.Walk(page.First, page.Size)).IsAccessed);

        // Any item, and the whole page is.
        if ((page.Access & IommuAccess.Write) != 0)
        {
            _tested.Write(page.First + ((ulong)_random.NextInt64() & (page.Size - 1)));
            page.Dirty |= TFormat.DirtyMask != 0;
            Assert.True(Assert.Single(_tested.Walk(page.First, page.Size)).IsAccessed);
            DirtyBitmap expected = NewBitmap(page.First, page.Size);
            expected.Set(new Iova(page.First), page.Size);
            _tested.Domain.ReadAccessed(new Iova(page.First), page.Size, bitmap, DirtyReadMode.Peek);
            AssertSame(expected, bitmap);
        }

        Compare(page.First, page.Size);
    }

    private (ulong First, ulong Size) RandomRangeOrPage()
    {
        if (_model.Count == 0 || _random.Next(3) == 0)
        {
            return RandomRange();
        }

        NaivePage page = _model.Random(_random);
        return (page.First, page.Size);
    }

    private static int LevelOf(ulong size) => (BitOperations.Log2(size) - TFormat.GranuleLog2) / (TFormat.GranuleLog2 - 3);
}
