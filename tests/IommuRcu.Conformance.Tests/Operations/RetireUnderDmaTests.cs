// Tables come and go on several threads while devices do DMA through them: nothing may land where it was never mapped to.
using System.Runtime.InteropServices;
using IommuRcu.Conformance.Tests.Judging;
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;
using Xunit.Abstractions;

namespace IommuRcu.Conformance.Tests.Operations;

public sealed class RetireUnderDmaTests(ITestOutputHelper output)
{
    private const int Mutators = 2;
    private const int SlotsOfMutator = 48;
    private const int Rounds = 120;
    private const int OperationsOfMutatorInRound = 40;
    private static readonly TimeSpan _joinTimeout = TimeSpan.FromSeconds(60);

    public static TheoryData<string> X64 => ["VT-d legacy, 4 levels", "VT-d scalable, second stage, 4 levels", "AMD v1, 48 bits"];

    public static TheoryData<string> X64Version10 => ["VT-d scalable, x86-64 first stage, QEMU 10"];

    public static TheoryData<string> Arm64 => ["Arm stage 1, 4 KiB, 48 bits"];

    public static TheoryData<string> Arm64Version10 => ["Arm stage 2, 4 KiB, 44 bits, QEMU 10"];

    public static TheoryData<string> RiscV64 => ["RISC-V Sv48, QEMU 10", "RISC-V Sv48x4, QEMU 10"];

    [QemuTheory(QemuArchitecture.X64)]
    [MemberData(nameof(X64))]
    public void TablesRetiredOnX64WhileDmaRuns_NothingLandsElsewhere(string name) => Run(name);

    [QemuTheory(QemuArchitecture.X64, QemuNeed.Version10)]
    [MemberData(nameof(X64Version10))]
    public void TablesRetiredOnX64Version10WhileDmaRuns_NothingLandsElsewhere(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64, QemuNeed.Version10)]
    [MemberData(nameof(Arm64Version10))]
    public void TablesRetiredOnArm64Version10WhileDmaRuns_NothingLandsElsewhere(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64)]
    [MemberData(nameof(Arm64))]
    public void TablesRetiredOnArm64WhileDmaRuns_NothingLandsElsewhere(string name) => Run(name);

    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [MemberData(nameof(RiscV64))]
    public void TablesRetiredOnRiscV64WhileDmaRuns_NothingLandsElsewhere(string name) => Run(name);

    private void Run(string name)
    {
        int seed = Seed.Get();
        output.WriteLine($"{Seed.Variable}={seed}");
        var random = new Random(seed);
        using var session = new ConformanceSession(ConformanceCases.Get(name));
        var judge = new Judge(session, random);
        IommuDomain domain = session.Domain;
        ulong granule = session.Granule;
        ulong stable = 0x10_0000_0000;
        ulong data = session.Data[1].First;
        domain.Map(new Iova(stable), new PhysicalAddress(data), 64 * granule, IommuAccess.Read | IommuAccess.Write);
        session.Model.Map(stable, stable + (64 * granule) - 1, data, IommuAccess.Read | IommuAccess.Write);

        // Each slot has tables of its own down to the leaves, and always leads to the same memory, full of the slot's number.
        const int Slots = Mutators * SlotsOfMutator;
        ulong region = 1UL << (domain.GranuleLog2 + domain.GranuleLog2 - 3);
        Iova SlotIova(int slot) => new(0x20_0000_0000 + ((ulong)slot * region));
        PhysicalAddress SlotMemory(int slot) => new(session.Data[0].First + ((ulong)slot * 0x20000));

        using var stop = new CancellationTokenSource();
        var failures = new List<Exception>();
        int[] cycles = new int[Mutators];
        int rounds = 0;
        Thread[] threads = [.. Enumerable.Range(0, Mutators).Select(m => new Thread(() => Mutate(m)) { IsBackground = true, Name = $"mutator {m}" })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }
        try
        {
            for (int round = 0; round < Rounds * Seed.Length; round++)
            {
                // Into slots that may or may not be mapped at the moment, and at their edges: each word says which slot it is meant for.
                var accesses = new List<DmaAccess>();
                var buffers = new List<byte[]>();
                for (int i = 0; i < session.Rig.Width; i++)
                {
                    int slot = random.Next(Slots);
                    int words = random.Next(1, 200);
                    byte[] bytes = new byte[words * 8];
                    MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan()).Fill(Tag(slot));
                    accesses.Add(new DmaAccess(SlotIova(slot) + ((ulong)random.Next(300) * 8), bytes.Length, IsWrite: true));
                    buffers.Add(bytes);
                }
                session.Rig.RunBatch(accesses, buffers);
                Volatile.Write(ref rounds, round + 1);
                while (session.Iommu.TakeFault() is { } fault)
                {
                    Assert.True(fault.Address.Value >= SlotIova(0).Value, $"{fault}: a mapping that stays was refused");
                }
                if (round % 10 == 0)
                {
                    List<string> wrong = [.. judge.Run(Stable(8)).Where(w => !w.StartsWith("memory at", StringComparison.Ordinal))];
                    Assert.True(wrong.Count == 0, $"{name}, {Seed.Variable}={seed}:\n{string.Join('\n', wrong)}");
                }
            }
        }
        finally
        {
            stop.Cancel();
            foreach (Thread thread in threads)
            {
                Assert.True(thread.Join(_joinTimeout), $"Waited {_joinTimeout.TotalSeconds:0} s for {thread.Name} to stop.");
            }
        }
        Assert.Empty(failures);
        Assert.All(cycles, c => Assert.True(c > 0));

        // Slots' memory holds their own numbers and nothing else; then it is given back to the comparison of all memory.
        int landed = 0;
        for (int slot = 0; slot < Slots; slot++)
        {
            Span<byte> bytes = session.Machine.Memory.Span(SlotMemory(slot), (int)granule);
            foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
            {
                Assert.True(word == 0 || word == Tag(slot), $"The memory of slot {slot} holds 0x{word:x}.");
                landed += word == 0 ? 0 : 1;
            }
            bytes.Clear();
        }
        Assert.True(landed > 0, "No DMA went through a slot.");
        Assert.Empty(judge.Run(Stable(32)));
        output.WriteLine($"{cycles.Sum()} maps and unmaps, {session.Allocator.RetiredPagesTotal} tables retired, {session.Rig.Transfers} DMAs, {landed} words landed");

        IEnumerable<DmaAccess> Stable(int count) => Enumerable.Range(0, count).Select(_ =>
            new DmaAccess(new Iova(stable + (ulong)random.NextInt64((long)(60 * granule))), random.Next(1, 4000), random.Next(2) == 0));

        void Mutate(int mutator)
        {
            try
            {
                var mine = new Random(seed + 1 + mutator);
                bool[] mapped = new bool[SlotsOfMutator];
                while (!stop.IsCancellationRequested)
                {
                    if (cycles[mutator] > (Volatile.Read(ref rounds) + 1) * OperationsOfMutatorInRound)
                    {
                        // Not further ahead: invalidations would leave no time for DMA on the one connection that both share.
                        Thread.Yield();
                        continue;
                    }
                    int which = mine.Next(SlotsOfMutator);
                    int slot = (mutator * SlotsOfMutator) + which;
                    if (!mapped[which])
                    {
                        domain.Map(SlotIova(slot), SlotMemory(slot), granule, IommuAccess.Read | IommuAccess.Write);
                    }
                    else
                    {
                        // The whole table at once, which unlinks it; or its only page, which leaves it to the reclaimer of empty tables.
                        Assert.Equal(granule, domain.Unmap(SlotIova(slot), mine.Next(2) == 0 ? region : granule));
                    }
                    mapped[which] = !mapped[which];
                    cycles[mutator]++;
                }
            }
            catch (Exception e)
            {
                lock (failures)
                {
                    failures.Add(e);
                }
            }
        }
    }

    private static ulong Tag(int slot) => 0x510_0000_0001UL + ((ulong)(uint)slot << 8);
}
