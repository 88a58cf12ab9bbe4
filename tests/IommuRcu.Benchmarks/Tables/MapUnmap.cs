// Mapping and unmapping: one small page a call, 256 small pages a call, one large page a call.
using System.Diagnostics;
using IommuRcu.Benchmarks.Measuring;

namespace IommuRcu.Benchmarks.Tables;

/// <summary>Maps a number of pieces one by one, then unmaps them one by one: results map and unmap, nanoseconds a call.</summary>
/// <remarks>
/// The tables are there before and stay: in each, a page at its end is left mapped. An unmap has its own gather, synced at once, as the strict
/// <c>Unmap</c> does inside.
/// </remarks>
internal sealed class MapUnmap : Contender
{
    private const int Tables = 8;
    private readonly TableSetup _setup;
    private readonly ulong _size;
    private readonly PhysicalAddress _address;
    private readonly Iova[] _pieces;
    private readonly bool _strict;

    private MapUnmap(string name, TableSetup setup, ulong size, PhysicalAddress address, Iova[] pieces, bool strict)
        : base(name)
    {
        _setup = setup;
        _size = size;
        _address = address;
        _pieces = pieces;
        _strict = strict;
    }

    public override int Results => 2;

    /// <summary>One 4 KiB page a call, through eight leaf tables.</summary>
    public static MapUnmap SmallPages(TableSetup setup) => SmallPages(setup, 0, strict: false);

    /// <summary>The same through the strict <c>Unmap</c>, which has no gather to show.</summary>
    public static MapUnmap SmallPagesStrictly(TableSetup setup) => SmallPages(setup, 3, strict: true);

    private static MapUnmap SmallPages(TableSetup setup, ulong kind, bool strict)
    {
        var pieces = new List<Iova>();
        for (ulong table = 0; table < Tables; table++)
        {
            Iova start = Start(kind) + (table * TableSetup.LargePage);
            setup.MapSmallPages(start + (TableSetup.LargePage - TableSetup.Page), TableSetup.Page);
            for (ulong page = 0; page < 511; page++)
            {
                pieces.Add(start + (page * TableSetup.Page));
            }
        }

        return new MapUnmap("4k", setup, TableSetup.Page, TableSetup.OddAddress, [.. pieces], strict);
    }

    /// <summary>256 small pages a call: the first half of each leaf table.</summary>
    public static MapUnmap Runs(TableSetup setup)
    {
        var pieces = new List<Iova>();
        for (ulong table = 0; table < Tables; table++)
        {
            Iova start = Start(1) + (table * TableSetup.LargePage);
            setup.MapSmallPages(start + (TableSetup.LargePage - TableSetup.Page), TableSetup.Page);
            pieces.Add(start);
        }

        return new MapUnmap("256x4k", setup, 256 * TableSetup.Page, TableSetup.OddAddress, [.. pieces], strict: false);
    }

    /// <summary>One 2 MiB page a call, through one table.</summary>
    public static MapUnmap LargePages(TableSetup setup)
    {
        Iova start = Start(2);
        setup.MapSmallPages(start + (TableSetup.Gigabyte - TableSetup.Page), TableSetup.Page);
        // Odd in bit 21, so that no contiguous run of large pages fits either.
        var address = new PhysicalAddress((1UL << 33) + TableSetup.LargePage);
        return new MapUnmap("2m", setup, TableSetup.LargePage, address, [.. Enumerable.Range(0, 256).Select(i => start + ((ulong)i * TableSetup.LargePage))], strict: false);
    }

    public override void Round(Span<double> ns)
    {
        IommuDomain domain = _setup.Domain;
        long start = Stopwatch.GetTimestamp();
        Map(domain);
        ns[0] = Since(start, _pieces.Length);
        start = Stopwatch.GetTimestamp();
        if (_strict)
        {
            UnmapStrictly(domain);
        }
        else
        {
            Unmap(domain);
        }

        ns[1] = Since(start, _pieces.Length);
    }

    // A gigabyte for each kind, far apart.
    private static Iova Start(ulong kind) => new((4 + (2 * kind)) * TableSetup.Gigabyte);

    private void Map(IommuDomain domain)
    {
        foreach (Iova piece in _pieces)
        {
            domain.Map(piece, _address, _size, IommuAccess.Read | IommuAccess.Write);
        }
    }

    private void Unmap(IommuDomain domain)
    {
        foreach (Iova piece in _pieces)
        {
            var gather = new IotlbGather(domain);
            domain.Unmap(piece, _size, ref gather);
            gather.Sync();
        }
    }

    private void UnmapStrictly(IommuDomain domain)
    {
        foreach (Iova piece in _pieces)
        {
            domain.Unmap(piece, _size);
        }
    }
}
