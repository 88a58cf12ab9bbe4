// RISC-V IOMMU: device directory, command queue, fault queue. (RISC-V IOMMU architecture specification 1.0, chapters 2, 3 and 5.)
using IommuRcu.Qemu.Devices;
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Qemu.Iommus;

/// <summary>Drives an emulated RISC-V IOMMU (<c>riscv-iommu-pci</c>) with one stage. QEMU 10 or later.</summary>
public sealed class RiscVIommu : QemuIommu
{
    private const int Slot = 1;
    private const ulong CapabilitiesRegister = 0x00;
    private const ulong DirectoryRegister = 0x10;
    private const ulong CommandBaseRegister = 0x18;
    private const ulong CommandHeadRegister = 0x20;
    private const ulong CommandTailRegister = 0x24;
    private const ulong FaultBaseRegister = 0x28;
    private const ulong FaultHeadRegister = 0x30;
    private const ulong FaultTailRegister = 0x34;
    private const ulong CommandControlRegister = 0x48;
    private const ulong FaultControlRegister = 0x4c;
    private const uint QueueEnable = 1u << 0;
    private const uint QueueOn = 1u << 16;
    private const uint CommandErrors = 0xf00;
    private const uint FaultOverflow = 1u << 9;

    private const int CommandCountLog2 = 9;
    private const int FaultCountLog2 = 9;
    private const uint AddressSpaceId = 13;
    private const uint GuestId = 14;
    private const int InvalidatePageLimit = 64;

    private readonly bool _secondStage;
    private readonly PhysicalAddress _directory;
    private readonly PhysicalAddress _commands;
    private readonly PhysicalAddress _faults;
    private readonly PhysicalAddress _fence;
    private readonly Dictionary<int, PhysicalAddress> _leaves = [];
    private ulong _registers;
    private ulong _contextSize;
    private uint _tail;
    private uint _faultHead;
    private uint _fenceNumber;

    /// <summary>Prepares the driver.</summary>
    /// <param name="machine">A machine with a RISC-V IOMMU: see <see cref="Arguments"/>.</param>
    /// <param name="structures">Guest memory for its structures, as for every driver.</param>
    /// <param name="secondStage">Whether the second stage translates (Sv39x4 and wider); otherwise the first.</param>
    public RiscVIommu(QemuMachine machine, PhysicalAddress structures, bool secondStage)
        : base(machine, structures)
    {
        _secondStage = secondStage;
        _directory = TakeStructure(4096);
        _commands = TakeStructure(16UL << CommandCountLog2);
        _faults = TakeStructure(32UL << FaultCountLog2);
        _fence = TakeStructure(4096);
    }

    /// <summary>QEMU's arguments for a machine with a RISC-V IOMMU.</summary>
    public static IReadOnlyList<string> Arguments { get; } = ["-device", $"riscv-iommu-pci,addr=0x1"];

    /// <inheritdoc/>
    public override int FaultCapacity => (1 << FaultCountLog2) - 1;

    /// <inheritdoc/>
    public override void Enable()
    {
        _registers = Machine.Function(Slot).Enable();
        QtestConnection qtest = Machine.Qtest;
        ulong capabilities = qtest.Read64(_registers + CapabilitiesRegister);
        if ((capabilities & 0xff) != 0x10)
        {
            throw new QemuException($"No RISC-V IOMMU of version 1.0 (capabilities 0x{capabilities:x}).");
        }
        // With MSI translation (bit 22) a device context is 64 bytes, otherwise 32.
        _contextSize = (capabilities & (1UL << 22)) != 0 ? 64UL : 32UL;

        qtest.Write64(_registers + CommandBaseRegister, Ppn(_commands) | (CommandCountLog2 - 1));
        qtest.Write32(_registers + CommandTailRegister, 0);
        qtest.Write32(_registers + CommandControlRegister, QueueEnable);
        WaitFor(() => (qtest.Read32(_registers + CommandControlRegister) & QueueOn) != 0, "switch its command queue on");
        qtest.Write64(_registers + FaultBaseRegister, Ppn(_faults) | (FaultCountLog2 - 1));
        qtest.Write32(_registers + FaultHeadRegister, 0);
        qtest.Write32(_registers + FaultControlRegister, QueueEnable);
        WaitFor(() => (qtest.Read32(_registers + FaultControlRegister) & QueueOn) != 0, "switch its fault queue on");

        const ulong TwoLevels = 3;
        const ulong Busy = 1UL << 4;
        qtest.Write64(_registers + DirectoryRegister, Ppn(_directory) | TwoLevels);
        WaitFor(
            () => (qtest.Read64(_registers + DirectoryRegister) & (Busy | 0xf)) == TwoLevels, "take its device directory");
        Command(0x3, 0);
        Fence();
    }

    /// <inheritdoc/>
    public override IommuFault? TakeFault()
    {
        lock (Commands)
        {
            uint tail = Machine.Qtest.Read32(_registers + FaultTailRegister);
            if (tail == _faultHead)
            {
                const uint FaultMemoryError = 1u << 8;
                uint control = Machine.Qtest.Read32(_registers + FaultControlRegister);
                return (control & FaultMemoryError) == 0
                    ? null
                    : throw new QemuException($"The RISC-V IOMMU could not write its fault queue (queue control 0x{control:x}).");
            }
            PhysicalAddress at = _faults + (_faultHead * 32UL);
            ulong first = ReadWord(at);
            ulong address = ReadWord(at + 16);
            _faultHead = (_faultHead + 1) & ((1u << FaultCountLog2) - 1);
            Machine.Qtest.Write32(_registers + FaultHeadRegister, _faultHead);
            uint cause = (uint)(first & 0xfff);
            // The kind of transaction (TTYP) always says write in QEMU: the cause tells.
            bool? isWrite = cause switch { 5 or 13 or 21 => false, 7 or 15 or 23 => true, _ => null };
            return new IommuFault(Kind(cause), cause, (ushort)(first >> 40), new Iova(address), isWrite);
        }
    }

    /// <inheritdoc/>
    public override void DropFaults()
    {
        lock (Commands)
        {
            _faultHead = Machine.Qtest.Read32(_registers + FaultTailRegister);
            Machine.Qtest.Write32(_registers + FaultHeadRegister, _faultHead);
            // After an overflow nothing is recorded until the flag is cleared by writing it back.
            Machine.Qtest.Write32(_registers + FaultControlRegister, QueueEnable | FaultOverflow);
        }
    }

    private static IommuFaultKind Kind(uint cause) => cause switch
    {
        // Page faults of the first stage, then of the second: a missing entry and a refused permission have the same cause.
        12 or 13 or 15 or 20 or 21 or 23 => IommuFaultKind.NotPermitted,
        1 or 5 or 7 => IommuFaultKind.Malformed,
        >= 256 and <= 269 => IommuFaultKind.Device,
        _ => IommuFaultKind.Other,
    };

    /// <inheritdoc/>
    protected override void WriteDeviceEntry(ushort requesterId, PageTableRoot root)
    {
        // A directory page holds 64 or 128 contexts; the upper level picks the page.
        int perPage = (int)(4096 / _contextSize);
        int index = requesterId / perPage;
        if (!_leaves.TryGetValue(index, out PhysicalAddress leaf))
        {
            leaf = TakeStructure(4096);
            _leaves.Add(index, leaf);
            WriteWord(_directory + ((ulong)index * 8), Ppn(leaf) | 1);
        }
        PhysicalAddress context = leaf + ((ulong)(requesterId % perPage) * _contextSize);
        // Modes 8, 9 and 10 are 3, 4 and 5 levels.
        ulong pointer = (root.Address.Value >> 12) | ((ulong)(uint)(root.Levels + 5) << 60);
        WriteWord(context, 0);
        WriteWord(context + 8, _secondStage ? pointer | ((ulong)GuestId << 44) : 0);
        WriteWord(context + 16, (ulong)AddressSpaceId << 12);
        WriteWord(context + 24, _secondStage ? 0 : pointer);
        WriteWord(context, 1);
        Command(0x3 | (1UL << 33) | ((ulong)requesterId << 40), 0); // IODIR.INVAL_DDT
        InvalidateAll();
        Fence();
    }

    /// <inheritdoc/>
    protected override void InvalidateRange(IovaRange range, bool tablesFreed)
    {
        ulong first = range.First.Value >> 12;
        ulong last = range.Last.Value >> 12;
        if (last - first >= InvalidatePageLimit)
        {
            InvalidateAll();
        }
        else
        {
            const ulong AddressValid = 1UL << 10;
            for (ulong page = first; page <= last; page++)
            {
                Command(Invalidation | AddressValid, page << 10);
            }
        }
        Fence();
    }

    /// <inheritdoc/>
    protected override void SubmitCommand(ulong low, ulong high)
    {
        Command(low, high);
        Fence();
    }

    /// <inheritdoc/>
    protected override string DescribeQueue() =>
        $"command head 0x{Machine.Qtest.Read32(_registers + CommandHeadRegister):x}, tail 0x{_tail:x}, "
        + $"queue control 0x{Machine.Qtest.Read32(_registers + CommandControlRegister):x}";

    // IOTINVAL.VMA of one address space, or IOTINVAL.GVMA of one guest.
    private ulong Invalidation => _secondStage
        ? 0x1 | (1UL << 7) | (1UL << 33) | ((ulong)GuestId << 44)
        : 0x1 | ((ulong)AddressSpaceId << 12) | (1UL << 32);

    private void InvalidateAll() => Command(Invalidation, 0);

    private static ulong Ppn(PhysicalAddress address) => (address.Value >> 12) << 10;

    private void Command(ulong low, ulong high)
    {
        WriteWord(_commands + (_tail * 16UL), low);
        WriteWord(_commands + (_tail * 16UL) + 8, high);
        _tail = (_tail + 1) & ((1u << CommandCountLog2) - 1);
        QueueWraps += _tail == 0 ? 1 : 0;
    }

    // IOFENCE.C, ordering earlier reads and writes, stores a number when all before it is done.
    private void Fence()
    {
        uint number = ++_fenceNumber;
        Command(0x2 | (1UL << 10) | (3UL << 12) | ((ulong)number << 32), _fence.Value >> 2);
        Machine.Qtest.Write32(_registers + CommandTailRegister, _tail);
        WaitFor(
            () =>
            {
                return (Machine.Qtest.Read32(_registers + CommandControlRegister) & CommandErrors) == 0
                    ? (uint)ReadWord(_fence) == number
                    : throw new QemuException($"The RISC-V IOMMU refused a command: {DescribeQueue()}. {Machine.Errors}");
            },
            "finish its command queue");
    }
}
