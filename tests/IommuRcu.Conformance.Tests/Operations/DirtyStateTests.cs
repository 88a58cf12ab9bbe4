// Cleaned pages: what emulated hardware does with the next write tells that the entry and its caches were really cleaned.
using IommuRcu.Conformance.Tests.Judging;
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;
using Xunit.Abstractions;

namespace IommuRcu.Conformance.Tests.Operations;

public sealed class DirtyStateTests(ITestOutputHelper output)
{
    private const ulong Start = 0x10_0000_0000;

    public static TheoryData<string> Arm64 => ["Arm stage 1, 4 KiB, 48 bits", "Arm stage 1, 64 KiB, 48 bits"];

    public static TheoryData<string> Arm64Version10 => ["Arm stage 2, 4 KiB, 44 bits, QEMU 10", "Arm stage 2, 16 KiB, 44 bits, QEMU 10"];

    public static TheoryData<string> RiscV64Version10 => ["RISC-V Sv48, QEMU 10", "RISC-V Sv48x4, QEMU 10"];

    [QemuFact(QemuArchitecture.X64, QemuNeed.Version10)]
    public void HardwareThatSetsDirty_WritesAndNothingElseMakePagesDirty()
    {
        int seed = Seed.Get();
        output.WriteLine($"{Seed.Variable}={seed}");
        var random = new Random(seed);
        using var session = new ConformanceSession(ConformanceCases.Get("VT-d scalable, x86-64 first stage, QEMU 10"));
        var judge = new Judge(session, random);
        const ulong Large = 2UL << 20;
        ulong data = (session.Data[1].First + Large) & ~(Large - 1);

        // 4 KiB pages, then two of 2 MiB.
        const ulong Small = 64;
        session.Map(Start, data + 0x1000, Small * session.Granule);
        session.Map(Start + Large, data + Large, 2 * Large);
        const ulong Size = 3 * Large;
        HashSet<ulong> Dirty(DirtyReadMode mode)
        {
            var bitmap = new DirtyBitmap(new Iova(Start), Size);
            session.Domain.ReadDirty(new Iova(Start), Size, bitmap, mode);
            return [.. Enumerable.Range(0, (int)(Size >> 12)).Select(i => Start + ((ulong)i << 12)).Where(a => bitmap.IsDirty(new Iova(a)))];
        }

        for (int round = 0; round < 20; round++)
        {
            Clean();
            Assert.Empty(Dirty(DirtyReadMode.Peek));

            // Each page is only read or only written in a round: QEMU 10.0 makes no page dirty whose accessed bit is set already, nor one
            // whose translation it has cached.
            ulong written = (ulong)random.NextInt64() | 1;
            var expected = new HashSet<ulong>();
            var accesses = new List<DmaAccess>();
            for (int i = 0; i < 12; i++)
            {
                ulong page = (ulong)random.Next((int)Small);
                bool isWrite = (written & (1UL << (int)page)) != 0;
                accesses.Add(new DmaAccess(new Iova(Start + (page * 0x1000) + (ulong)random.Next(1000)), random.Next(1, 3000), isWrite));
                if (isWrite)
                {
                    expected.Add(Start + (page * 0x1000));
                }
            }
            for (ulong large = 1; large <= 2; large++)
            {
                bool isWrite = random.Next(2) == 0;
                accesses.Add(new DmaAccess(new Iova(Start + (large * Large) + (ulong)random.NextInt64((long)Large - 3000)), random.Next(1, 3000), isWrite));
                for (ulong page = 0; isWrite && page < Large; page += 0x1000)
                {
                    expected.Add(Start + (large * Large) + page);
                }
            }
            Assert.Empty(judge.Run(accesses));
            Assert.Equal(expected.Order(), Dirty(DirtyReadMode.Peek).Order());
            Assert.Equal(expected.Order(), Dirty(DirtyReadMode.ReadAndClear).Order());
            Assert.Empty(Dirty(DirtyReadMode.Peek));
        }

        // Dirty bits are cleaned by the library, accessed bits by hand; then everything cached is dropped.
        void Clean()
        {
            Dirty(DirtyReadMode.ReadAndClear);
            for (ulong page = 0; page < Small; page++)
            {
                session.EntryOf(Start + (page * 0x1000), 0) &= ~(1UL << 5);
            }
            for (ulong large = 1; large <= 2; large++)
            {
                session.EntryOf(Start + (large * Large), 1) &= ~(1UL << 5);
            }
            session.Iommu.Invalidate(new IovaRange(new Iova(Start), new Iova(Start + Size - 1)), tablesFreed: false);
        }
    }

    [QemuTheory(QemuArchitecture.Arm64)]
    [MemberData(nameof(Arm64))]
    public void HardwareWithoutDirtyOnArm64_RefusesWritesToCleanedPages(string name) => Refuses(name);

    [QemuTheory(QemuArchitecture.Arm64, QemuNeed.Version10)]
    [MemberData(nameof(Arm64Version10))]
    public void HardwareWithoutDirtyOnArm64Version10_RefusesWritesToCleanedPages(string name) => Refuses(name);

    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [MemberData(nameof(RiscV64Version10))]
    public void HardwareWithoutDirtyOnRiscV64Version10_RefusesWritesToCleanedPages(string name) => Refuses(name);

    // These models do not set dirty state: a clean page is one that cannot be written until software makes it dirty.
    private static void Refuses(string name)
    {
        using var session = new ConformanceSession(ConformanceCases.Get(name));
        Assert.Equal(CleanPage.Refuses, session.Case.Clean);
        var judge = new Judge(session, new Random(1));
        ulong granule = session.Granule;
        ulong data = session.Data[1].First;
        session.Map(Start, data, 8 * granule);
        DmaAccess[] writes = [.. Enumerable.Range(0, 8).Select(i => new DmaAccess(new Iova(Start + ((ulong)i * granule) + 24), 200, IsWrite: true))];
        DmaAccess[] reads = [.. writes.Select(w => w with { IsWrite = false })];
        const int Device = 2;
        Assert.Empty(judge.Run([.. writes, .. reads], Device));

        // Everything was mapped dirty; some granules are cleaned, and from then on read-only to this hardware.
        var bitmap = new DirtyBitmap(new Iova(Start), 8 * granule, session.Domain.GranuleLog2);
        session.Domain.ReadDirty(new Iova(Start + (2 * granule)), 3 * granule, bitmap, DirtyReadMode.ReadAndClear);
        Assert.Equal([false, false, true, true, true, false, false, false], Enumerable.Range(0, 8).Select(i => bitmap.IsDirty(new Iova(Start + ((ulong)i * granule)))));
        session.Model.Protect(Start + (2 * granule), Start + (5 * granule) - 1, IommuAccess.Read);

        // Writes first: some models take the right to write from a walk that was done for a read.
        Assert.Empty(judge.Run(writes, Device));
        Assert.Empty(judge.Run(reads, Device));
    }
}
