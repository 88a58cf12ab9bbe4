// Taking a domain down: one flush and one grace period, however many tables there are.
using IommuRcu.Annotations;
using IommuRcu.Memory;

namespace IommuRcu;

internal sealed unsafe partial class PageTableDomain<TFormat>
{
    /// <inheritdoc/>
    [WaitsForGracePeriod(DomainType = typeof(Rcu))]
    public override void Dispose()
    {
        if (Volatile.Read(ref _top) == 0)
        {
            return;
        }

        if (!Rcu.MayWait)
        {
            throw new InvalidOperationException("A domain waits for a grace period when it is disposed: not inside a read section, nor in a reclaim callback.");
        }

        // Whoever gets the root takes it down. From here on every call finds the domain disposed.
        if (Interlocked.Exchange(ref _top, 0) == 0)
        {
            return;
        }

        // With the roots above, where hardware could not be told of the last ones.
        ulong top = _newestTop;

        int level = TopLevel(top);
        PhysicalAddress root = RootAddressOf(TopTable(top));
        GatherData data = default;
        data.AddRange(new Iova(0), new Iova(TFormat.SignExtended ? ulong.MaxValue : _lastLinear));
        ulong entries = TFormat.GrowsFromLevels != 0 ? (ulong)EntriesPerTable : (_lastLinear >> Shift(level)) + 1;
        using (Rcu.ReadLock())
        {
            for (ulong i = 0; level > 0 && i < entries; i++)
            {
                ulong entry = Volatile.Read(ref TopTable(top)[i]);
                if (TFormat.IsTable(entry, level))
                {
                    CollectTable(entry, level - 1, i << Shift(level), ref data, null);
                }
            }
        }

        TablePage page = PageAllocator.GetPage(root);
        page.MarkUnlinked();
        data.Add(page);
        try
        {
            // Flushed and retired like everything else; the wait below covers this list and all that was retired before it.
            FlushStrictly(ref data);
        }
        finally
        {
            Rcu.Barrier();
        }
    }
}
