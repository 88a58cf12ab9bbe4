// Reading a gigabyte of small pages: random translations, and scans of dirty state.
using System.Diagnostics;
using IommuRcu.Benchmarks.Measuring;

namespace IommuRcu.Benchmarks.Tables;

/// <summary>The gigabyte that both read.</summary>
internal static class Gigabyte
{
    public const int Pages = 1 << 18;

    public static readonly Iova Start = new(TableSetup.Gigabyte);

    public static void Map(TableSetup setup) => setup.MapSmallPages(Start, TableSetup.Gigabyte);
}

/// <summary>Translates random addresses, each the next of a xorshift64; nanoseconds a translation, read section and generator included.</summary>
internal sealed class RandomTranslations(TableSetup setup) : Contender("translate-random")
{
    private const int Count = 20_000;
    private ulong _random = 0x9E3779B97F4A7C15;

    public override void Round(Span<double> ns)
    {
        long start = Stopwatch.GetTimestamp();
        ulong sum = Translate(setup.Domain, Count);
        ns[0] = Since(start, Count);
        if (sum == 0)
        {
            throw new InvalidOperationException("Nothing was translated.");
        }
    }

    private ulong Translate(IommuDomain domain, int count)
    {
        ulong random = _random;
        ulong sum = 0;
        for (int i = 0; i < count; i++)
        {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            if (!domain.TryTranslate(new Iova(TableSetup.Gigabyte + (random & (TableSetup.Gigabyte - 1))), out Translation translation))
            {
                throw new InvalidOperationException("A mapped address was not found.");
            }

            sum += translation.Address.Value;
        }

        _random = random;
        return sum;
    }
}

/// <summary>Reads and clears the dirty state of a gigabyte; results with 0 %, 1 % and 100 % of the pages dirty, nanoseconds an entry.</summary>
internal sealed class DirtyScans<TFormat> : Contender
    where TFormat : struct, IPageTableFormat
{
    private readonly TableSetup _setup;
    private readonly DirtyBitmap _bitmap = new(Gigabyte.Start, TableSetup.Gigabyte);
    private readonly LeafSlots<TFormat> _slots;
    private int _offset;

    public DirtyScans(TableSetup setup)
        : base("dirty")
    {
        _setup = setup;
        _slots = new LeafSlots<TFormat>(setup, Gigabyte.Start, Gigabyte.Pages);
    }

    public override int Results => 3;

    public override void Round(Span<double> ns)
    {
        Scan(expected: 0); // clean, whatever was before
        ns[0] = Scan(expected: 0);
        _offset = (_offset + 1) % 100;
        _slots.MakeDirty(_offset, Gigabyte.Pages - 100, 100);
        ns[1] = Scan(expected: (Gigabyte.Pages - 100 + 99) / 100);
        _slots.MakeDirty(0, Gigabyte.Pages, 1);
        ns[2] = Scan(expected: Gigabyte.Pages);
    }

    private double Scan(long expected)
    {
        _bitmap.Clear();
        long start = Stopwatch.GetTimestamp();
        _setup.Domain.ReadDirty(Gigabyte.Start, TableSetup.Gigabyte, _bitmap, DirtyReadMode.ReadAndClear);
        double ns = Since(start, Gigabyte.Pages);
        if (_bitmap.Count != expected)
        {
            throw new InvalidOperationException($"{_bitmap.Count} pages were found dirty, {expected} were.");
        }

        return ns;
    }
}
