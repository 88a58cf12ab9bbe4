// Unmapping one small page a call with its dirty state harvested: the entry is exchanged, a dirty page goes to a bitmap.
using System.Diagnostics;
using IommuRcu.Benchmarks.Measuring;

namespace IommuRcu.Benchmarks.Tables;

/// <summary>Results: unmapping clean pages, unmapping dirty ones; nanoseconds a call, each with its own gather, synced at once.</summary>
internal sealed class HarvestingUnmap<TFormat> : Contender
    where TFormat : struct, IPageTableFormat
{
    private const int Pages = 511;
    private readonly TableSetup _setup;
    private readonly Iova _start = new(20 * TableSetup.Gigabyte);
    private readonly DirtyBitmap _bitmap;
    private readonly LeafSlots<TFormat> _slots;

    public HarvestingUnmap(TableSetup setup)
        : base("harvest")
    {
        _setup = setup;
        _bitmap = new DirtyBitmap(_start, TableSetup.LargePage);
        setup.MapSmallPages(_start, TableSetup.LargePage);
        _slots = new LeafSlots<TFormat>(setup, _start, Pages + 1);
        setup.Domain.Unmap(_start, Pages * TableSetup.Page); // the last stays, and with it the table
    }

    public override int Results => 2;

    public override void Round(Span<double> ns)
    {
        for (int result = 0; result < 2; result++)
        {
            _setup.MapSmallPages(_start, Pages * TableSetup.Page);
            if (result == 1)
            {
                _slots.MakeDirty(0, Pages, 1);
            }

            _bitmap.Clear();
            long start = Stopwatch.GetTimestamp();
            Unmap(_setup.Domain);
            ns[result] = Since(start, Pages);
        }
    }

    private void Unmap(IommuDomain domain)
    {
        for (ulong page = 0; page < Pages; page++)
        {
            var gather = new IotlbGather(domain);
            domain.Unmap(_start + (page * TableSetup.Page), TableSetup.Page, ref gather, _bitmap);
            gather.Sync();
        }
    }
}
