// The drivers' command queues: they begin anew at their end, a refused command is an error at once, and no wait is without an end.
using IommuRcu.Conformance.Tests.Judging;
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;
using IommuRcu.Qemu.Iommus;
using IommuRcu.Qemu.Machines;
using Xunit.Abstractions;

namespace IommuRcu.Conformance.Tests.Machines;

public sealed class CommandQueueTests(ITestOutputHelper output)
{
    private const ulong Page = 0x10_0000_0000;

    [QemuTheory(QemuArchitecture.X64)]
    [InlineData("VT-d legacy, 4 levels")]
    [InlineData("VT-d scalable, second stage, 4 levels")]
    [InlineData("AMD v1, 48 bits")]
    public void QueueOnX64_BeginsAnewAtItsEnd(string name) => FillQueue(name);

    [QemuTheory(QemuArchitecture.Arm64)]
    [InlineData("Arm stage 1, 4 KiB, 48 bits")]
    public void QueueOnArm64_BeginsAnewAtItsEnd(string name) => FillQueue(name);

    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [InlineData("RISC-V Sv48, QEMU 10")]
    public void QueueOnRiscV64_BeginsAnewAtItsEnd(string name) => FillQueue(name);

    [QemuTheory(QemuArchitecture.X64)]
    [InlineData("VT-d legacy, 4 levels")]
    [InlineData("VT-d scalable, second stage, 4 levels")]
    public void RefusedCommandOnX64_IsAnErrorAtOnce(string name) => Refuse(name);

    [QemuTheory(QemuArchitecture.Arm64)]
    [InlineData("Arm stage 1, 4 KiB, 48 bits")]
    public void RefusedCommandOnArm64_IsAnErrorAtOnce(string name) => Refuse(name);

    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [InlineData("RISC-V Sv48, QEMU 10")]
    public void RefusedCommandOnRiscV64_IsAnErrorAtOnce(string name) => Refuse(name);

    // QEMU's AMD-Vi reports no error; but a buffer that does not run must not be waited for without end.
    [QemuFact(QemuArchitecture.X64)]
    public void StoppedQueue_IsWaitedForOnlySoLong()
    {
        using var session = new ConformanceSession(ConformanceCases.Get("AMD v1, 48 bits"));
        const ulong Control = 0xfed80018;
        ulong running = session.Machine.Qtest.Read64(Control);
        session.Machine.Qtest.Write64(Control, running & ~(1UL << 12));
        session.Iommu.CommandTimeout = TimeSpan.FromMilliseconds(200);
        var error = Assert.Throws<QemuException>(() => session.Iommu.Submit(8UL << 60, 0));
        Assert.Contains("0.2 s for AmdIommu to finish its command buffer: command head", error.Message, StringComparison.Ordinal);

        // Switched on again it goes on where it was.
        session.Iommu.CommandTimeout = TimeSpan.FromSeconds(60);
        session.Machine.Qtest.Write64(Control, running);
        session.Iommu.Submit(8UL << 60, 0);
    }

    private void FillQueue(string name)
    {
        using var session = new ConformanceSession(ConformanceCases.Get(name));
        var judge = new Judge(session, new Random(1));
        var elsewhere = new IovaRange(new Iova(Page + (1UL << 30)), new Iova(Page + (1UL << 30) + 0xfff));
        int invalidations = 0;
        for (; session.Iommu.QueueWraps < 2; invalidations++)
        {
            session.Iommu.Invalidate(elsewhere, tablesFreed: false);
            if (invalidations % 50 != 0)
            {
                continue;
            }

            // At all places of the queue: what is invalidated is dead.
            session.Map(Page, session.Data[1].First, session.Granule);
            Assert.Empty(judge.Run([new DmaAccess(new Iova(Page), 64, IsWrite: true)], firstDevice: 2));
            session.Unmap(Page, session.Granule);
            Assert.Empty(judge.Run([new DmaAccess(new Iova(Page), 64, IsWrite: true)], firstDevice: 2));
            Assert.True(invalidations < 20_000);
        }

        output.WriteLine($"{invalidations} invalidations, {judge.Accesses} accesses");
        Assert.True(judge.Refusals > 5);
    }

    private void Refuse(string name)
    {
        // Without a domain: what is refused cannot be flushed any more.
        ConformanceCase tested = ConformanceCases.Get(name);
        using var machine = QemuMachine.Start(new QemuMachineOptions
        {
            Installation = QemuTools.Get(tested.Architecture, tested.Need),
            IommuArguments = tested.IommuArguments,
            BoardProperties = tested.BoardProperties,
        });
        QemuIommu iommu = tested.CreateIommu(machine, machine.Memory.Windows[0].Base + (16UL << 20));
        iommu.Enable();
        var error = Assert.Throws<QemuException>(() => iommu.Submit(ulong.MaxValue, 0));
        output.WriteLine(error.Message);
        Assert.Contains("refused", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Waited", error.Message, StringComparison.Ordinal);
        Assert.False(machine.HasExited);

        // The error stays: no later invalidation is taken for done.
        Assert.Throws<QemuException>(() => iommu.Invalidate(new IovaRange(new Iova(0), new Iova(0xfff)), tablesFreed: false));
    }
}
