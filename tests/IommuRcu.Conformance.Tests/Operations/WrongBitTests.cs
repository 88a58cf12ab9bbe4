// One wrong bit in one live entry must be seen: every bit of entries of every kind is flipped in turn, and accesses judged again.
using IommuRcu.Conformance.Tests.Judging;
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;
using Xunit.Abstractions;

namespace IommuRcu.Conformance.Tests.Operations;

public sealed class WrongBitTests(ITestOutputHelper output)
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    [QemuTheory(QemuArchitecture.X64)]
    [MemberData(nameof(CaseNames.X64), MemberType = typeof(CaseNames))]
    public void WrongBitOnX64_IsSeen(string name) => Run(name);

    [QemuTheory(QemuArchitecture.X64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.X64Version10), MemberType = typeof(CaseNames))]
    public void WrongBitOnX64Version10_IsSeen(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64)]
    [MemberData(nameof(CaseNames.Arm64), MemberType = typeof(CaseNames))]
    public void WrongBitOnArm64_IsSeen(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.Arm64Version10), MemberType = typeof(CaseNames))]
    public void WrongBitOnArm64Version10_IsSeen(string name) => Run(name);

    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [MemberData(nameof(CaseNames.RiscV64Version10), MemberType = typeof(CaseNames))]
    public void WrongBitOnRiscV64Version10_IsSeen(string name) => Run(name);

    // A live entry: where it is, and accesses that depend on it.
    private sealed record Target(string What, PhysicalAddress Entry, ulong JudgedBits, IReadOnlyList<DmaAccess> Accesses);

    private void Run(string name)
    {
        int seed = Seed.Get();
        output.WriteLine($"{Seed.Variable}={seed}");
        using var session = new ConformanceSession(ConformanceCases.Get(name));
        var judge = new Judge(session, new Random(seed));
        List<Target> targets = Targets(session);
        Assert.Empty(judge.Run(targets.SelectMany(t => t.Accesses)));

        var unseen = new List<string>();
        int flips = 0;
        foreach (Target target in targets)
        {
            ulong seen = 0;
            var tables = session.CopyTables();
            for (int bit = 0; bit < 64; bit++)
            {
                // A long run says of every bit whether the hardware heeds it; the default run flips those that it must.
                if (Seed.Length == 1 && (target.JudgedBits & (1UL << bit)) == 0)
                {
                    continue;
                }
                flips++;
                ulong right = Volatile.Read(ref session.Machine.Memory.Word(target.Entry));
                Volatile.Write(ref session.Machine.Memory.Word(target.Entry), right ^ (1UL << bit));
                try
                {
                    InvalidateAll(session);
                    if (judge.Run(target.Accesses).Count > 0)
                    {
                        seen |= 1UL << bit;
                    }
                }
                finally
                {
                    // What was written through the wrong entry is undone, wherever it went.
                    Restore(session, tables);
                    session.Shadow.Differences(repair: true);
                }
                InvalidateAll(session);
            }
            Assert.Empty(judge.Run(target.Accesses));
            ulong missed = target.JudgedBits & ~seen;
            output.WriteLine($"{target.What}: seen {seen:x16}{(Seed.Length == 1 ? "" : $", ignored by the hardware {~seen:x16}")}");
            if (missed != 0)
            {
                unseen.Add($"{target.What}: flips of {missed:x16} were not seen");
            }
        }
        Assert.True(unseen.Count == 0, $"{name}, {Seed.Variable}={seed}:\n{string.Join('\n', unseen)}\n{session.Machine.Errors}");
        Assert.False(session.Machine.HasExited);
        output.WriteLine($"{flips} flips, {judge.Accesses} accesses");
    }

    // A page of every size, a read-only one, and the table entries above the smallest.
    private static List<Target> Targets(ConformanceSession session)
    {
        ConformanceCase @case = session.Case;
        IommuDomain domain = session.Domain;
        var targets = new List<Target>();
        int[] sizes = [.. Enumerable.Range(12, 19).Where(i => i is not (14 or 15 or 17 or 18 or 19 or 20 or 23 or 24 or 26 or 27 or 28) || i == domain.GranuleLog2)
            .Where(i => (domain.PageSizes & @case.PageSizes & (1UL << i)) != 0)];

        // Apart from the mailboxes in the root table where it is large. Below each page's size the address has zeros and the memory's has ones.
        int bits = @case.JudgedAddressBits != 0 ? @case.JudgedAddressBits : domain.AddressBits;
        ulong iova = bits == 64 ? (3UL << 57) | (7UL << 48) | (11UL << 39) : bits > 41 ? 3UL << 39 : 0x10_0000_0000;
        ulong data = Data(@case.Architecture);
        const ulong DataSize = 1UL << 29;
        foreach (int log2 in sizes)
        {
            ulong size = 1UL << log2;
            ulong address = size > DataSize ? data & ~(size - 1) : data + DataSize - size;
            Map(session, iova, address, size, ReadWrite);
            int level = LeafLevel(domain, log2);
            ulong item = ulong.Min(size, 1UL << session.ItemLog2(level));
            ulong first = iova + size - item;
            // The last item of a run; of a page larger than the data's region the part that is in it.
            ulong from = size > DataSize ? first + (data - address) : first;
            targets.Add(new Target(
                $"leaf of 2^{log2} bytes", session.EntryAddress(iova + size - 1, level), @case.JudgedLeafBits(level, log2, true), Ends(from, iova + size - 1)));
            iova += 4UL << 30;
        }

        ulong readOnly = iova;
        Map(session, readOnly, data, session.Granule, IommuAccess.Read);
        targets.Add(new Target(
            "read-only leaf", session.EntryAddress(readOnly, 0), @case.JudgedLeafBits(0, domain.GranuleLog2, false),
            [
                new DmaAccess(new Iova(readOnly), 32, IsWrite: false),
                new DmaAccess(new Iova(readOnly + session.Granule - 32), 32, IsWrite: false),
                new DmaAccess(new Iova(readOnly + 64), 32, IsWrite: true),
            ]));
        iova += 4UL << 30;

        // Another index in every table: a walk that skips a level or goes round must not come out at an entry of the tree.
        ulong below = iova + (2UL << 30);
        for (int level = 0; level < domain.Root.Levels - 1 && session.ItemLog2(level) < 30; level++)
        {
            below += (ulong)(5 + (2 * level)) << session.ItemLog2(level);
        }
        Map(session, below, data + DataSize - (2 * session.Granule), session.Granule, ReadWrite);
        for (int level = 1; level < domain.Root.Levels; level++)
        {
            targets.Add(new Target(
                $"table entry of level {level}", session.EntryAddress(below, level), @case.JudgedTableBits(level), Ends(below, below + session.Granule - 1)));
        }
        return targets;
    }

    private static void Map(ConformanceSession session, ulong iova, ulong address, ulong size, IommuAccess access)
    {
        session.Map(iova, address, size, access);
        Assert.True(session.Domain.TryTranslate(new Iova(iova), out Translation translation));
        Assert.Equal(size, translation.PageSize);
    }

    private static DmaAccess[] Ends(ulong first, ulong last) =>
    [
        new(new Iova(first), 32, IsWrite: true),
        new(new Iova(first + 32), 32, IsWrite: false),
        new(new Iova(last - 31), 32, IsWrite: true),
        new(new Iova(last - 63), 32, IsWrite: false),
    ];

    // Memory with address bits such that no single flip of one leads to a device's registers, to the tables or to the queues.
    private static ulong Data(QemuArchitecture architecture) => architecture switch
    {
        QemuArchitecture.X64 => 0x2_6000_0000,
        QemuArchitecture.Arm64 => 0x1_6000_0000,
        _ => 0x1_a000_0000,
    };

    private static int LeafLevel(IommuDomain domain, int sizeLog2) => (sizeLog2 - domain.GranuleLog2) / (domain.GranuleLog2 - 3);

    private static void InvalidateAll(ConformanceSession session) =>
        session.Iommu.Invalidate(new IovaRange(new Iova(0), new Iova((1UL << 63) - 1 + (1UL << 62))), tablesFreed: true);

    private static void Restore(ConformanceSession session, List<(PhysicalAddress Address, byte[] Bytes)> tables)
    {
        foreach ((PhysicalAddress address, byte[] bytes) in tables)
        {
            Span<byte> now = session.Machine.Memory.Span(address, bytes.Length);
            if (!now.SequenceEqual(bytes))
            {
                bytes.CopyTo(now);
            }
        }
    }
}
