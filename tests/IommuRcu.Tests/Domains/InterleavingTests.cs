// Two operations interleaved at every point where the engine asks the format something: one runs, and the other runs as a whole in between. Nothing
// that was mapped may be lost, nothing that was unmapped may come back, and every table goes back to the allocator once.
using IommuRcu.Tests.PageTables.Formats;

namespace IommuRcu.Tests.Domains;

public sealed class InterleavingTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    // Both in one table of the lowest level; the far one in another, whose upper tables are its own as well.
    private const ulong Mine = 0x4000_0000;
    private const ulong Neighbour = 0x4000_3000;
    private const ulong Far = 0x10_8000_0000;
    private const ulong Large = 0x20_0000;

    private static readonly Dictionary<string, Operation> _first = new()
    {
        ["map a page"] = new(_ => { }, d => Map(d, Mine, 0x1000), Mine, IsMapped: true),
        ["map a range"] = new(_ => { }, d => Map(d, Mine - 0x2000, 0x3000), Mine, IsMapped: true),
        ["map a large page"] = new(_ => { }, d => Map(d, Mine + Large, Large), Mine + Large, IsMapped: true),
        ["map a large page over an empty table"] = new(
            d => Empty(d, Mine + Large), d => Map(d, Mine + Large, Large), Mine + Large, IsMapped: true),
        ["unmap a page"] = new(d => Map(d, Mine, 0x1000), d => Unmap(d, Mine, 0x1000, 0x1000), Mine, IsMapped: false),
        ["unmap a range"] = new(d => Map(d, Mine - 0x2000, 0x3000), d => Unmap(d, Mine - 0x2000, 0x3000, 0x3000), Mine, IsMapped: false),
        ["unmap whole tables"] = new(d => Map(d, Mine + Large, 0x5000), d => Unmap(d, Mine + Large, 2 * Large, 0x5000), Mine + Large, IsMapped: false),
        ["protect"] = new(d => Map(d, Mine, 0x1000), d => Assert.Equal(0x1000UL, d.Protect(new Iova(Mine), 0x1000, IommuAccess.Read)), Mine, IsMapped: true),
        ["split"] = new(d => Map(d, Mine + Large, Large), d => Assert.Equal(1, d.Split(new Iova(Mine + Large), Large, 0x1000)), Mine + Large, IsMapped: true),
        ["merge"] = new(
            d =>
            {
                Map(d, Mine + Large, Large);
                d.Split(new Iova(Mine + Large), Large, 0x1000);
            },
            d => Assert.True(d.TryMerge(new Iova(Mine + Large), Large)),
            Mine + Large,
            IsMapped: true),
        ["reclaim"] = new(_ => { }, d => d.ReclaimEmptyTables(), Mine, IsMapped: false),
        ["read dirty"] = new(
            d => Map(d, Mine, 0x1000),
            d => d.ReadDirty(new Iova(0), 1UL << 38, new DirtyBitmap(new Iova(Mine), 0x1000), DirtyReadMode.ReadAndClear),
            Mine,
            IsMapped: true),
    };

    private static readonly Dictionary<string, Operation> _second = new()
    {
        ["reclaim"] = new(_ => { }, d => d.ReclaimEmptyTables(), Neighbour, IsMapped: false),
        ["map the neighbour"] = new(_ => { }, d => Map(d, Neighbour, 0x1000), Neighbour, IsMapped: true),
        ["map the neighbour, reclaim"] = new(
            _ => { },
            d =>
            {
                Map(d, Neighbour, 0x1000);
                d.ReclaimEmptyTables();
            },
            Neighbour,
            IsMapped: true),
        ["unmap the neighbour"] = new(d => Map(d, Neighbour, 0x1000), d => Unmap(d, Neighbour, 0x1000, 0x1000), Neighbour, IsMapped: false),
        ["unmap the neighbour, reclaim"] = new(
            d => Map(d, Neighbour, 0x1000),
            d =>
            {
                Unmap(d, Neighbour, 0x1000, 0x1000);
                d.ReclaimEmptyTables();
            },
            Neighbour,
            IsMapped: false),
        ["reclaim, map the neighbour"] = new(
            _ => { },
            d =>
            {
                d.ReclaimEmptyTables();
                Map(d, Neighbour, 0x1000);
            },
            Neighbour,
            IsMapped: true),
        ["map and unmap the neighbour, reclaim, map it"] = new(
            _ => { },
            d =>
            {
                Map(d, Neighbour, 0x1000);
                Unmap(d, Neighbour, 0x1000, 0x1000);
                d.ReclaimEmptyTables();
                Map(d, Neighbour, 0x1000);
            },
            Neighbour,
            IsMapped: true),
        ["unmap whole tables far away"] = new(
            d => Map(d, Far, 0x1000), d => Unmap(d, Far & ~((1UL << 30) - 1), 1UL << 30, 0x1000), Far, IsMapped: false),
    };

    private sealed record Operation(Action<IommuDomain> Prepare, Action<IommuDomain> Do, ulong Page, bool IsMapped);

    public static TheoryData<string, string> Pairs
    {
        get
        {
            var pairs = new TheoryData<string, string>();
            foreach (string first in _first.Keys)
            {
                foreach (string second in _second.Keys)
                {
                    pairs.Add(first, second);
                }
            }

            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void OneInTheMiddleOfTheOther_BothDoWhatTheySaid(string first, string second)
    {
        Assert.True(RunAll<VtdSecondStageFormat>(_first[first], _second[second]) > 3);
        Assert.True(RunAll<AmdV1Format>(_first[first], _second[second]) > 3);
    }

    /// <summary>Interleaves two operations at every point there is, and returns how many there were.</summary>
    private static int RunAll<TFormat>(Operation first, Operation second)
        where TFormat : struct, IPageTableFormat
    {
        for (int at = 0; ; at++)
        {
            using var tested = new FormatDomain<HookedFormat<TFormat>>(39, memory: 1 << 20);
            Empty(tested.Domain, Mine);
            first.Prepare(tested.Domain);
            second.Prepare(tested.Domain);
            bool interrupted = false;
            using (FormatHook.SetAt(at, () =>
                {
                    interrupted = true;
                    second.Do(tested.Domain);
                    Assert.Equal(second.IsMapped, IsMapped(tested.Domain, second.Page));
                }))
            {
                first.Do(tested.Domain);
            }

            if (!interrupted)
            {
                return at;
            }

            string point = $"interrupted at question {at}";
            Assert.True(first.IsMapped == IsMapped(tested.Domain, first.Page), $"{point}: IOVA 0x{first.Page:x} is wrong.");
            Assert.True(second.IsMapped == IsMapped(tested.Domain, second.Page), $"{point}: IOVA 0x{second.Page:x} is wrong.");

            // What is there is reached by a new page in the same tables, and nothing else is.
            Map(tested.Domain, Mine + 0x8000, 0x1000);
            Assert.True(IsMapped(tested.Domain, Mine + 0x8000), point);
            tested.Domain.Unmap(new Iova(0), 1UL << 39);
            Assert.Empty(tested.Walk());
            Assert.Equal(0, tested.Allocator.DamagedPages);
        }
    }

    private static void Map(IommuDomain domain, ulong iova, ulong size) => domain.Map(new Iova(iova), new PhysicalAddress(iova), size, ReadWrite);

    private static void Unmap(IommuDomain domain, ulong iova, ulong size, ulong expected) => Assert.Equal(expected, domain.Unmap(new Iova(iova), size));

    // The table of a page stays, for a while: it is kept back.
    private static void Empty(IommuDomain domain, ulong iova)
    {
        Map(domain, iova, 0x1000);
        Unmap(domain, iova, 0x1000, 0x1000);
    }

    private static bool IsMapped(IommuDomain domain, ulong iova)
    {
        bool found = domain.TryTranslate(new Iova(iova), out Translation translation);
        Assert.True(!found || translation.Address.Value == iova, $"IOVA 0x{iova:x} leads to {translation.Address}.");
        return found;
    }
}
