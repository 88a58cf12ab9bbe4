// Arm SMMUv3: registers, command and event queues. (Arm SMMU architecture, version 3: IHI 0070, chapters 4, 6 and 7.)
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Qemu.Iommus;

/// <summary>How an SMMU stage finds and reads its tables.</summary>
/// <param name="Stage">1 or 2.</param>
/// <param name="GranuleLog2">log2 of the granule in bytes: 12, 14 or 16.</param>
/// <param name="AddressBits">The width of input addresses in bits.</param>
public readonly record struct SmmuStage(int Stage, int GranuleLog2, int AddressBits);

/// <summary>Drives an emulated SMMUv3 (<c>virt,iommu=smmuv3</c>) with one stage.</summary>
public sealed partial class SmmuV3 : QemuIommu
{
    private const ulong Registers = 0x09050000;
    private const ulong Id0Register = 0x00;
    private const ulong Control0Register = 0x20;
    private const ulong Control0AckRegister = 0x24;
    private const ulong GlobalErrorRegister = 0x60;
    private const ulong GlobalErrorAckRegister = 0x64;
    private const ulong StreamTableRegister = 0x80;
    private const ulong StreamTableConfigRegister = 0x88;
    private const ulong CommandBaseRegister = 0x90;
    private const ulong CommandProducerRegister = 0x98;
    private const ulong CommandConsumerRegister = 0x9c;
    private const ulong EventBaseRegister = 0xa0;
    private const ulong EventProducerRegister = 0x100a8;
    private const ulong EventConsumerRegister = 0x100ac;

    private const uint SmmuEnable = 1u << 0;
    private const uint EventQueueEnable = 1u << 2;
    private const uint CommandQueueEnable = 1u << 3;
    private const int StreamTableLog2 = 8;
    private const int CommandCountLog2 = 9;
    private const int EventCountLog2 = 7;

    private readonly PhysicalAddress _streamTable;
    private readonly PhysicalAddress _commands;
    private readonly PhysicalAddress _events;
    private readonly SmmuStage _stage;
    private uint _commandProducer;
    private uint _eventConsumer;

    /// <summary>Prepares the driver.</summary>
    /// <param name="machine">A machine with an SMMU: see <see cref="BoardProperties"/> and <see cref="Arguments"/>.</param>
    /// <param name="structures">Guest memory for its structures, as for every driver.</param>
    /// <param name="stage">The stage that translates, and how.</param>
    /// <exception cref="ArgumentException">The stage is neither 1 nor 2, the granule none of the three, or the memory does not fit.</exception>
    public SmmuV3(QemuMachine machine, PhysicalAddress structures, SmmuStage stage)
        : base(machine, structures)
    {
        if (stage.Stage is not (1 or 2) || stage.GranuleLog2 is not (12 or 14 or 16) || stage.AddressBits is < 16 or > 52)
        {
            throw new ArgumentException($"{stage} is not a stage.", nameof(stage));
        }
        _stage = stage;
        _streamTable = TakeStructure(64UL << StreamTableLog2);
        _commands = TakeStructure(16UL << CommandCountLog2);
        _events = TakeStructure(32UL << EventCountLog2);
    }

    /// <summary>The board's property that gives it an SMMU.</summary>
    public const string BoardProperties = "iommu=smmuv3";

    /// <summary>QEMU's arguments that choose the stage. Versions before 10 have stage 1 alone, and need none.</summary>
    /// <param name="stage">1 or 2.</param>
    public static IReadOnlyList<string> Arguments(int stage) => stage == 1 ? [] : ["-global", $"arm-smmuv3.stage={stage}"];

    /// <inheritdoc/>
    public override int FaultCapacity => (1 << EventCountLog2) - 1;

    /// <inheritdoc/>
    public override void Enable()
    {
        uint id0 = Machine.Qtest.Read32(Registers + Id0Register);
        uint stageBit = _stage.Stage == 1 ? 2u : 1u;
        if (id0 is 0 or uint.MaxValue || (id0 & stageBit) == 0)
        {
            throw new QemuException($"The machine has no SMMUv3 with stage {_stage.Stage} (IDR0 is 0x{id0:x}).");
        }
        QtestConnection qtest = Machine.Qtest;
        qtest.Write64(Registers + StreamTableRegister, _streamTable.Value);
        qtest.Write32(Registers + StreamTableConfigRegister, StreamTableLog2);
        qtest.Write64(Registers + CommandBaseRegister, _commands.Value | CommandCountLog2);
        qtest.Write32(Registers + CommandProducerRegister, 0);
        qtest.Write32(Registers + CommandConsumerRegister, 0);
        qtest.Write64(Registers + EventBaseRegister, _events.Value | EventCountLog2);
        qtest.Write32(Registers + EventProducerRegister, 0);
        qtest.Write32(Registers + EventConsumerRegister, 0);
        Control(CommandQueueEnable | EventQueueEnable);
        Command(0x04, 31); // CFGI_ALL
        Command(0x30, 0); // TLBI_NSNH_ALL
        Synchronize();
        Control(SmmuEnable | CommandQueueEnable | EventQueueEnable);
    }

    /// <inheritdoc/>
    public override IommuFault? TakeFault()
    {
        lock (Commands)
        {
            uint producer = Machine.Qtest.Read32(Registers + EventProducerRegister);
            const uint Positions = (2u << EventCountLog2) - 1;
            if ((producer & Positions) == (_eventConsumer & Positions))
            {
                return null;
            }
            PhysicalAddress at = _events + ((_eventConsumer & ((1u << EventCountLog2) - 1)) * 32UL);
            ulong first = ReadWord(at);
            ulong second = ReadWord(at + 8);
            ulong address = ReadWord(at + 16);
            _eventConsumer = (_eventConsumer + 1) & Positions;
            // The overflow bit is acknowledged by repeating it.
            Machine.Qtest.Write32(Registers + EventConsumerRegister, _eventConsumer | (producer & (1u << 31)));
            uint code = (uint)(first & 0xff);
            bool isRead = (second & (1UL << 35)) != 0;
            return new IommuFault(Kind(code), code, (ushort)(first >> 32), new Iova(address), !isRead);
        }
    }

    /// <inheritdoc/>
    public override void DropFaults()
    {
        lock (Commands)
        {
            // The consumer catches up with the producer, overflow bit included.
            uint producer = Machine.Qtest.Read32(Registers + EventProducerRegister);
            Machine.Qtest.Write32(Registers + EventConsumerRegister, producer);
            _eventConsumer = producer & ((2u << EventCountLog2) - 1);
        }
    }

    private static IommuFaultKind Kind(uint code) => code switch
    {
        0x10 => IommuFaultKind.NotMapped,
        0x11 => IommuFaultKind.AddressSize,
        0x12 => IommuFaultKind.AccessFlag,
        0x13 => IommuFaultKind.Permission,
        0x0b => IommuFaultKind.Malformed,
        0x02 or 0x03 or 0x04 or 0x08 or 0x09 or 0x0a => IommuFaultKind.Device,
        _ => IommuFaultKind.Other,
    };

    /// <inheritdoc/>
    protected override void SubmitCommand(ulong low, ulong high)
    {
        Command(low, high);
        Synchronize();
    }

    /// <inheritdoc/>
    protected override string DescribeQueue()
    {
        uint consumer = Machine.Qtest.Read32(Registers + CommandConsumerRegister);
        return $"command consumer 0x{consumer & 0xfffff:x} with error {(consumer >> 24) & 0x7f}, producer 0x{_commandProducer:x}, "
            + $"global errors 0x{Machine.Qtest.Read32(Registers + GlobalErrorRegister):x}";
    }

    private void Control(uint value)
    {
        Machine.Qtest.Write32(Registers + Control0Register, value);
        WaitFor(() => Machine.Qtest.Read32(Registers + Control0AckRegister) == value, $"acknowledge control 0x{value:x}");
    }

    private void Command(ulong low, ulong high)
    {
        PhysicalAddress at = _commands + ((_commandProducer & ((1u << CommandCountLog2) - 1)) * 16UL);
        WriteWord(at, low);
        WriteWord(at + 8, high);
        _commandProducer = (_commandProducer + 1) & ((2u << CommandCountLog2) - 1);
        QueueWraps += (_commandProducer & ((1u << CommandCountLog2) - 1)) == 0 ? 1 : 0;
    }

    // CMD_SYNC is consumed when all before it is done.
    private void Synchronize()
    {
        Command(0x46, 0);
        Machine.Qtest.Write32(Registers + CommandProducerRegister, _commandProducer);
        WaitFor(
            () =>
            {
                // Errors are active where the two registers differ. An event that could not be written (bit 2) is none: QEMU says so of a full queue.
                const uint EventAborted = 1u << 2;
                uint errors = Machine.Qtest.Read32(Registers + GlobalErrorRegister) ^ Machine.Qtest.Read32(Registers + GlobalErrorAckRegister);
                return (errors & ~EventAborted) == 0
                    ? (Machine.Qtest.Read32(Registers + CommandConsumerRegister) & ((2u << CommandCountLog2) - 1)) == _commandProducer
                    : throw new QemuException($"The SMMU refused a command: {DescribeQueue()}. {Machine.Errors}");
            },
            "finish its command queue");
    }
}
