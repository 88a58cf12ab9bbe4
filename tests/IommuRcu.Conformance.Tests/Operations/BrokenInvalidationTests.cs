// The judge itself is judged: an invalidator with a fault put in must be seen, for every format.
using IommuRcu.Conformance.Tests.Judging;
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;

namespace IommuRcu.Conformance.Tests.Operations;

public sealed class BrokenInvalidationTests
{
    private const ulong Iova = 0x10_0000_0000;

    public static TheoryData<string> X64Version10 => ["VT-d scalable, x86-64 first stage, QEMU 10"];

    public static TheoryData<string> Arm64 => ["Arm stage 1, 4 KiB, 48 bits"];

    public static TheoryData<string> Arm64Version10 => ["Arm stage 2, 4 KiB, 44 bits, QEMU 10"];

    public static TheoryData<string> RiscV64Version10 => ["RISC-V Sv48, QEMU 10", "RISC-V Sv48x4, QEMU 10"];

    [QemuTheory(QemuArchitecture.X64)]
    [MemberData(nameof(CaseNames.X64), MemberType = typeof(CaseNames))]
    public void InvalidationDroppedOnX64_IsSeen(string name) => Run(name);

    [QemuTheory(QemuArchitecture.X64, QemuNeed.Version10)]
    [MemberData(nameof(X64Version10))]
    public void InvalidationDroppedOnX64Version10_IsSeen(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64)]
    [MemberData(nameof(Arm64))]
    public void InvalidationDroppedOnArm64_IsSeen(string name) => Run(name);

    [QemuTheory(QemuArchitecture.Arm64, QemuNeed.Version10)]
    [MemberData(nameof(Arm64Version10))]
    public void InvalidationDroppedOnArm64Version10_IsSeen(string name) => Run(name);

    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [MemberData(nameof(RiscV64Version10))]
    public void InvalidationDroppedOnRiscV64Version10_IsSeen(string name) => Run(name);

    [QemuFact(QemuArchitecture.X64)]
    public void RootChangeDropped_IsSeen()
    {
        using var session = new ConformanceSession(ConformanceCases.Get("AMD v1, 48 bits"), right => new Faulty(right) { DropsRootChanges = true });
        var judge = new Judge(session, new Random(1));
        int levels = session.Domain.Root.Levels;
        const ulong High = 1UL << 45;
        session.Map(High, session.Data[1].First, session.Granule);
        Assert.True(session.Domain.Root.Levels > levels, "The root did not grow.");
        Assert.NotEmpty(judge.Run([new DmaAccess(new Iova(High), 100, IsWrite: true)]));
    }

    private static void Run(string name)
    {
        Faulty? invalidator = null;
        using var session = new ConformanceSession(ConformanceCases.Get(name), right => invalidator = new Faulty(right));
        var judge = new Judge(session, new Random(1));
        const int Device = 5;
        DmaAccess At(ulong granule) => new(new Iova(Iova + (granule * session.Granule)), 100, IsWrite: true);

        // Right first: the same accesses are refused after a right invalidation.
        session.Map(Iova, session.Data[1].First, 2 * session.Granule);
        Assert.Empty(judge.Run([At(0)], Device));
        Assert.Empty(judge.Run([At(1)], Device));
        session.Unmap(Iova, 2 * session.Granule);
        Assert.Empty(judge.Run([At(0)], Device));
        Assert.Empty(judge.Run([At(1)], Device));

        // Dropped altogether.
        session.Map(Iova, session.Data[1].First, 2 * session.Granule);
        Assert.Empty(judge.Run([At(0)], Device));
        invalidator!.DropsInvalidations = true;
        session.Unmap(Iova, 2 * session.Granule);
        Assert.NotEmpty(judge.Run([At(0)], Device));
        invalidator.DropsInvalidations = false;
        session.Iommu.Invalidate(new IovaRange(new Iova(Iova), new Iova(Iova + (2 * session.Granule) - 1)), tablesFreed: true);
        session.Shadow.Differences(repair: true);

        // Too narrow: the last granule is left out.
        if (session.Case.InvalidatesExactly)
        {
            session.Map(Iova, session.Data[1].First, 2 * session.Granule);
            Assert.Empty(judge.Run([At(1)], Device));
            invalidator.LeavesOut = session.Granule;
            session.Unmap(Iova, 2 * session.Granule);
            Assert.NotEmpty(judge.Run([At(1)], Device));
            invalidator.LeavesOut = 0;
        }
    }

    private sealed class Faulty(IIommuInvalidator right) : IIommuInvalidator
    {
        public bool DropsInvalidations { get; set; }

        public bool DropsRootChanges { get; set; }

        public ulong LeavesOut { get; set; }

        public void Invalidate(IovaRange range, bool tablesFreed)
        {
            if (!DropsInvalidations)
            {
                // Unmapping may free a table and so name more than what was unmapped: the fault is about the range in question.
                right.Invalidate(LeavesOut == 0 ? range : new IovaRange(range.First, new Iova(Iova + (2 * LeavesOut) - 1 - LeavesOut)), tablesFreed);
            }
        }

        public void RootChanged(PageTableRoot root)
        {
            if (!DropsRootChanges)
            {
                right.RootChanged(root);
            }
        }
    }
}
