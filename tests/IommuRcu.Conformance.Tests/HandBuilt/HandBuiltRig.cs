// One scenario for every IOMMU driver: every page size, permissions, a hole, staleness until invalidation, with hand-built tables.
using IommuRcu.Qemu;
using IommuRcu.Qemu.Devices;
using IommuRcu.Qemu.Iommus;
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Conformance.Tests.HandBuilt;

/// <summary>What a driver and its QEMU model do in the scenario.</summary>
internal sealed record HandBuiltExpectations
{
    public required IommuFaultKind Hole { get; init; }

    public required IommuFaultKind WriteDenied { get; init; }

    public int LargestLevel { get; init; } = 2;

    /// <summary>Whether the model keeps translations until they are invalidated.</summary>
    public bool Caches { get; init; } = true;
}

internal static class HandBuiltRig
{
    private const ulong MiB = 1UL << 20;
    private const ulong GiB = 1UL << 30;

    public static void Run(
        QemuArchitecture architecture, QemuNeed need, IReadOnlyList<string> iommuArguments, string boardProperties,
        Func<QemuMachine, PhysicalAddress, QemuIommu> createIommu, HandFormat format, HandBuiltExpectations expect)
    {
        using var machine = QemuMachine.Start(new QemuMachineOptions
        {
            Installation = QemuTools.Get(architecture, need),
            IommuArguments = iommuArguments,
            BoardProperties = boardProperties,
        });
        GuestMemoryWindow low = machine.Memory.Windows[0];
        GuestMemoryWindow high = machine.Memory.Windows[^1];
        QemuIommu iommu = createIommu(machine, low.Base + (16 * MiB));
        var tables = new HandBuiltTables(machine.Memory, format, low.Base + (64 * MiB));
        PhysicalAddress mailboxes = low.Base + (48 * MiB);
        PhysicalAddress data = high.Base + (((high.Base.Value + GiB - 1) & ~(GiB - 1)) - high.Base.Value) + GiB;

        ulong granule = 1UL << format.GranuleLog2;
        ulong Item(int level) => 1UL << (format.GranuleLog2 + (level * (format.GranuleLog2 - 3)));
        int largest = int.Min(expect.LargestLevel, format.Levels - 1);
        var mailboxIova = new Iova(Item(largest) * 5);
        var rig = new DmaRig(machine, mailboxes, mailboxIova);
        for (ulong at = 0; at < rig.MailboxesSize; at += granule)
        {
            tables.Map(mailboxIova + at, mailboxes + at, 0, read: true, write: true);
        }

        // One page a level, and beside the small one a read-only page and a hole.
        var small = new Iova(Item(largest) * 2);
        tables.Map(small, data, 0, read: true, write: true);
        tables.Map(small + granule, data + (4 * granule), 0, read: true, write: false);
        for (int level = 1; level <= largest; level++)
        {
            tables.Map(new Iova(Item(largest) * (ulong)(2 + level) + (level == largest ? 0 : Item(level))), new(data.Value & ~(Item(level) - 1)), level, true, true);
        }
        iommu.Enable();
        iommu.AttachAll(tables.Root);

        byte[] bytes = Pattern(1);
        Span<byte> Memory(ulong offset) => machine.Memory.Span(data + offset, bytes.Length);
        rig.Run(new DmaAccess(small, bytes.Length, IsWrite: true), bytes);
        NoFault("writing a mapped page");
        Assert.Equal(bytes, Memory(0));
        Assert.Equal(bytes, rig.Run(new DmaAccess(small, bytes.Length, IsWrite: false), new byte[bytes.Length], device: 3));
        NoFault("reading a mapped page");

        for (int level = 1; level <= largest; level++)
        {
            ulong offset = data.Value & (Item(level) - 1);
            var iova = new Iova(Item(largest) * (ulong)(2 + level) + (level == largest ? 0 : Item(level)) + offset + 0x340);
            byte[] here = Pattern(10 + level);
            rig.Run(new DmaAccess(iova, 600, IsWrite: true), here.AsSpan(0, 600), device: level);
            NoFault($"writing a page of level {level}");
            Assert.Equal(here.AsSpan(0, 600), machine.Memory.Span(data + 0x340, 600));
        }

        // The read-only page reads, and refuses a write that then leaves memory alone.
        byte[] before = Pattern(2);
        before.CopyTo(Memory(4 * granule));
        Assert.Equal(before, rig.Run(new DmaAccess(small + granule, before.Length, IsWrite: false), new byte[before.Length]));
        NoFault("reading a read-only page");
        iommu.Invalidate(new IovaRange(small + granule, small + (2 * granule - 1)), tablesFreed: false);
        rig.Run(new DmaAccess(small + granule, 100, IsWrite: true), Pattern(3).AsSpan(0, 100), device: 2);
        Fault(expect.WriteDenied, small + granule, isWrite: true, device: 2, "writing a read-only page");
        Assert.Equal(before, Memory(4 * granule));

        // A hole refuses both.
        var hole = new Iova(small.Value + (2 * granule));
        rig.Run(new DmaAccess(hole + 8, 64, IsWrite: true), Pattern(4).AsSpan(0, 64));
        Fault(expect.Hole, hole, isWrite: true, device: 0, "writing a hole");
        byte[] read = rig.Run(new DmaAccess(hole + 8, 64, IsWrite: false), Pattern(4).AsSpan(0, 64), device: 1);
        Fault(expect.Hole, hole, isWrite: false, device: 1, "reading a hole");
        Assert.True(read.AsSpan().SequenceEqual(new byte[64]) || read.AsSpan().SequenceEqual(Pattern(4).AsSpan(0, 64)), "A refused read showed something.");

        // A cleared entry stays usable until its invalidation, and is dead after it.
        byte[] late = Pattern(5);
        rig.Run(new DmaAccess(small, 8, IsWrite: true), late.AsSpan(0, 8));
        Volatile.Write(ref tables.Entry(small, 0), 0);
        if (expect.Caches)
        {
            rig.Run(new DmaAccess(small, late.Length, IsWrite: true), late);
            NoFault("writing through a cached translation");
            Assert.Equal(late, Memory(0));
        }
        iommu.Invalidate(new IovaRange(small, small + (granule - 1)), tablesFreed: false);
        rig.Run(new DmaAccess(small, 64, IsWrite: true), Pattern(6).AsSpan(0, 64));
        Fault(expect.Hole, small, isWrite: true, device: 0, "writing after the invalidation");
        Assert.Equal(expect.Caches ? late : Memory(0).ToArray(), Memory(0));
        Assert.False(machine.HasExited);

        void NoFault(string what)
        {
            IommuFault? fault = iommu.TakeFault();
            Assert.True(fault is null, $"{what}: {fault}; {machine.Errors}");
        }

        void Fault(IommuFaultKind kind, Iova page, bool isWrite, int device, string what)
        {
            if (!iommu.RecordsFaults)
            {
                return;
            }
            IommuFault? fault = iommu.TakeFault();
            Assert.True(fault is not null, $"{what}: no fault was recorded; {machine.Errors}");
            Assert.True(fault.Value.Kind == kind, $"{what}: {fault}");
            Assert.Equal(rig.RequesterId(device), fault.Value.RequesterId);
            Assert.Equal(page.Value, fault.Value.Address.Value & ~0xfffUL);
            Assert.True(fault.Value.IsWrite is null || fault.Value.IsWrite == isWrite, $"{what}: {fault}");
            while (iommu.TakeFault() is not null)
            {
                // An access of several pieces is refused more than once.
            }
        }
    }

    private static byte[] Pattern(int seed)
    {
        byte[] bytes = new byte[3000];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
