// The machines themselves: they start, share memory, do DMA, and end.
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Conformance.Tests.Machines;

public sealed class QemuMachineTests
{
    [QemuFact(QemuArchitecture.X64)]
    public void DmaOnX64_WithoutIommu_MovesSharedMemory() => MovesSharedMemory(QemuArchitecture.X64, QemuNeed.Any);

    [QemuFact(QemuArchitecture.X64, QemuNeed.Version10)]
    public void DmaOnX64Version10_WithoutIommu_MovesSharedMemory() => MovesSharedMemory(QemuArchitecture.X64, QemuNeed.Version10);

    [QemuFact(QemuArchitecture.Arm64)]
    public void DmaOnArm64_WithoutIommu_MovesSharedMemory() => MovesSharedMemory(QemuArchitecture.Arm64, QemuNeed.Any);

    [QemuFact(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    public void DmaOnRiscV64_WithoutIommu_MovesSharedMemory() => MovesSharedMemory(QemuArchitecture.RiscV64, QemuNeed.Version10);

    private static void MovesSharedMemory(QemuArchitecture architecture, QemuNeed need)
    {
        using var machine = QemuMachine.Start(new QemuMachineOptions { Installation = QemuTools.Get(architecture, need) });
        GuestMemoryWindow last = machine.Memory.Windows[^1];
        PhysicalAddress source = last.Base + 0x200_0000;
        PhysicalAddress target = last.Base + (last.Size - 0x100_0000);
        var expected = new byte[EduDevice.MaxLength];
        new Random(1).NextBytes(expected);
        expected.CopyTo(machine.Memory.Span(source, expected.Length));
        var before = machine.Memory.WrittenRanges();

        EduDevice.TransferAll([.. machine.Edus.Select(e => (e, new EduTransfer(new Iova(source.Value), expected.Length, ToMemory: false)))]);
        EduDevice.TransferAll([.. machine.Edus.Select((e, i) => (e, new EduTransfer(new Iova(target.Value + ((ulong)i << 13)), expected.Length, ToMemory: true)))]);

        for (int i = 0; i < machine.Edus.Count; i++)
        {
            Assert.Equal(expected, machine.Memory.Span(target + ((ulong)i << 13), expected.Length));
        }
        ulong Pages(IEnumerable<(PhysicalAddress, ulong Length)> ranges) => ranges.Aggregate(0UL, (sum, r) => sum + r.Length) >> 12;
        Assert.Equal(Pages(before) + (ulong)machine.Edus.Count, Pages(machine.Memory.WrittenRanges()));
        Assert.False(machine.HasExited);
    }

    [QemuFact(QemuArchitecture.X64)]
    public void Start_WithArgumentQemuRefuses_SaysWhatQemuSaid()
    {
        var options = new QemuMachineOptions
        {
            Installation = QemuTools.Get(QemuArchitecture.X64, QemuNeed.Any),
            IommuArguments = ["-device", "no-such-device"],
        };
        var error = Assert.Throws<QemuException>(() => QemuMachine.Start(options));
        Assert.Contains("no-such-device", error.Message, StringComparison.Ordinal);
    }
}
