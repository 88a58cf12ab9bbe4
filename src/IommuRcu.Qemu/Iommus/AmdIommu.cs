// AMD-Vi: device table, command buffer. (AMD I/O Virtualization Technology specification 48882, sections 2.2 to 2.4 and 3.4.)
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Qemu.Iommus;

/// <summary>
/// Drives an emulated AMD-Vi (<c>amd-iommu</c>). QEMU never writes its event log: a refused access shows only in what it did not do.
/// </summary>
public sealed class AmdIommu : QemuIommu
{
    private const ulong Registers = 0xfed80000;
    private const ulong DeviceTableRegister = 0x0000;
    private const ulong CommandBaseRegister = 0x0008;
    private const ulong ControlRegister = 0x0018;
    private const ulong CommandHeadRegister = 0x2000;
    private const ulong CommandTailRegister = 0x2008;
    private const ulong StatusRegister = 0x2020;
    private const ulong TranslationEnable = 1UL << 0;
    private const ulong CommandBufferEnable = 1UL << 12;

    private const ulong DeviceTableSize = 256 * 32;
    private const int CommandCountLog2 = 9;
    private const ulong CommandsSize = 16UL << CommandCountLog2;
    private const ulong Valid = 1UL << 0;
    private const ulong TranslationValid = 1UL << 1;
    private const ulong ReadAndWrite = 3UL << 61;
    private const ushort DomainId = 9;
    private const int InvalidateBlockMaxLog2 = 50;
    private const int InvalidateBlockLimit = 128;

    private readonly PhysicalAddress _deviceTable;
    private readonly PhysicalAddress _commands;
    private readonly PhysicalAddress _completion;
    private ulong _tail;
    private ulong _completed;

    /// <summary>Prepares the driver.</summary>
    /// <param name="machine">A machine with an <c>amd-iommu</c>: see <see cref="Arguments"/>.</param>
    /// <param name="structures">Guest memory for its structures, as for every driver.</param>
    public AmdIommu(QemuMachine machine, PhysicalAddress structures)
        : base(machine, structures)
    {
        _deviceTable = TakeStructure(DeviceTableSize);
        _commands = TakeStructure(CommandsSize);
        _completion = TakeStructure(4096);
    }

    /// <summary>QEMU's arguments for a machine with AMD-Vi.</summary>
    public static IReadOnlyList<string> Arguments { get; } = ["-device", "amd-iommu,intremap=off,pt=off"];

    /// <inheritdoc/>
    public override bool RecordsFaults => false;

    /// <inheritdoc/>
    public override int FaultCapacity => 0;

    /// <inheritdoc/>
    public override void Enable()
    {
        // Every device on bus 0 gets an entry that is valid and has no permission: a device with an invalid one would be let through.
        for (ulong device = 0; device < 256; device++)
        {
            WriteWord(_deviceTable + (device * 32) + 8, DomainId);
            WriteWord(_deviceTable + (device * 32), Valid | TranslationValid | (1UL << 9));
        }
        Machine.Qtest.Write64(Registers + DeviceTableRegister, _deviceTable.Value | ((DeviceTableSize >> 12) - 1));
        Machine.Qtest.Write64(Registers + CommandBaseRegister, _commands.Value | ((ulong)CommandCountLog2 << 56));
        Machine.Qtest.Write64(Registers + CommandHeadRegister, 0);
        Machine.Qtest.Write64(Registers + CommandTailRegister, 0);
        Machine.Qtest.Write64(Registers + ControlRegister, TranslationEnable | CommandBufferEnable);
        Command(8UL << 60, 0);
        Complete();
    }

    /// <inheritdoc/>
    public override IommuFault? TakeFault() => null;

    /// <inheritdoc/>
    protected override void WriteDeviceEntry(ushort requesterId, PageTableRoot root)
    {
        // The word with the root and the number of levels is written at once: a device sees the old root or the new one.
        PhysicalAddress entry = _deviceTable + ((ulong)(requesterId & 0xff) * 32);
        WriteWord(entry, root.Address.Value | ((ulong)(uint)root.Levels << 9) | ReadAndWrite | Valid | TranslationValid);
        Command((2UL << 60) | requesterId, 0);
        InvalidateDomain();
    }

    /// <inheritdoc/>
    protected override void InvalidateRange(IovaRange range, bool tablesFreed)
    {
        if (Blocks(range, InvalidateBlockMaxLog2, InvalidateBlockLimit) is not { } blocks)
        {
            InvalidateDomain();
            return;
        }
        foreach ((Iova first, int log2) in blocks)
        {
            // A block of 2^n bytes above 4 KiB: bits n-2 to 12 of the address are ones, bit n-1 is zero, and S (bit 0) says so. PDE is bit 1.
            ulong size = log2 == 12 ? 0 : 1 | (((1UL << (log2 - 1)) - 1) & ~0xfffUL);
            Command((3UL << 60) | ((ulong)DomainId << 32), first.Value | size | (tablesFreed ? 2UL : 0));
        }
        Complete();
    }

    /// <inheritdoc/>
    protected override void SubmitCommand(ulong low, ulong high)
    {
        Command(low, high);
        Complete();
    }

    /// <inheritdoc/>
    protected override string DescribeQueue() =>
        $"command head 0x{Machine.Qtest.Read64(Registers + CommandHeadRegister):x}, tail 0x{_tail:x}, status 0x{Machine.Qtest.Read64(Registers + StatusRegister):x}";

    private void InvalidateDomain()
    {
        Command((3UL << 60) | ((ulong)DomainId << 32), 0x7fff_ffff_ffff_f000 | 3);
        Complete();
    }

    private void Command(ulong low, ulong high)
    {
        WriteWord(_commands + _tail, low);
        WriteWord(_commands + _tail + 8, high);
        _tail = (_tail + 16) & (CommandsSize - 1);
        QueueWraps += _tail == 0 ? 1 : 0;
    }

    // COMPLETION_WAIT stores a number when all before it is done.
    private void Complete()
    {
        ulong number = ++_completed;
        Command((1UL << 60) | _completion.Value | 1, number);
        Machine.Qtest.Write64(Registers + CommandTailRegister, _tail);
        WaitFor(() => ReadWord(_completion) == number, "finish its command buffer");
    }
}
