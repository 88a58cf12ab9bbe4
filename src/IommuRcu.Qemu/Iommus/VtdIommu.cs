// Intel VT-d: registers, invalidation, faults. (VT-d specification, chapters 6, 7, 9 and 11.)
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Qemu.Iommus;

/// <summary>How VT-d finds a device's tables.</summary>
public enum VtdMode
{
    /// <summary>Legacy mode: root table, context table; second stage.</summary>
    Legacy,

    /// <summary>Scalable mode, second stage alone: root, context, PASID directory, PASID table.</summary>
    ScalableSecondStage,

    /// <summary>Scalable mode, first stage alone. QEMU 10 or later.</summary>
    ScalableFirstStage,
}

/// <summary>How VT-d is told to invalidate.</summary>
public enum VtdInvalidation
{
    /// <summary>By descriptors in a queue in memory.</summary>
    Queue,

    /// <summary>By registers. Legacy mode only.</summary>
    Registers,
}

/// <summary>Drives an emulated Intel VT-d (<c>intel-iommu</c>).</summary>
public sealed partial class VtdIommu : QemuIommu
{
    private const ulong Registers = 0xfed90000;
    private const ulong CapabilityRegister = 0x08;
    private const ulong ExtendedCapabilityRegister = 0x10;
    private const ulong GlobalCommandRegister = 0x18;
    private const ulong GlobalStatusRegister = 0x1c;
    private const ulong RootTableRegister = 0x20;
    private const ulong ContextCommandRegister = 0x28;
    private const ulong FaultStatusRegister = 0x34;
    private const ulong FaultControlRegister = 0x38;
    private const ulong QueueHeadRegister = 0x80;
    private const ulong QueueTailRegister = 0x88;
    private const ulong QueueAddressRegister = 0x90;

    private const uint TranslationEnable = 1u << 31;
    private const uint SetRootTable = 1u << 30;
    private const uint QueueEnable = 1u << 26;
    private const uint FaultInterruptMask = 1u << 31;
    private const ulong ScalableRootTable = 1UL << 10;

    private const ushort DomainId = 7;
    private const int InvalidateBlockMaxLog2 = 12 + 18;
    private const int InvalidateBlockLimit = 128;

    private readonly PhysicalAddress _rootTable;
    private uint _globalCommand;
    private ulong _faultRegister;
    private ulong _iotlbRegister;

    /// <summary>Prepares the driver.</summary>
    /// <param name="machine">A machine with an <c>intel-iommu</c>: see <see cref="Arguments"/>.</param>
    /// <param name="structures">Guest memory for its structures, as for every driver.</param>
    /// <param name="mode">How devices' tables are found.</param>
    /// <param name="invalidation">How it is told to invalidate.</param>
    /// <exception cref="ArgumentException">Scalable mode has no invalidation registers; or the memory does not fit.</exception>
    public VtdIommu(QemuMachine machine, PhysicalAddress structures, VtdMode mode, VtdInvalidation invalidation = VtdInvalidation.Queue)
        : base(machine, structures)
    {
        if (mode != VtdMode.Legacy && invalidation != VtdInvalidation.Queue)
        {
            throw new ArgumentException("Scalable mode invalidates through the queue.", nameof(invalidation));
        }
        Mode = mode;
        Invalidation = invalidation;
        _rootTable = TakeStructure(4096);
        _lowerContextTable = TakeStructure(4096);
        _upperContextTable = TakeStructure(4096);
        _queue = TakeStructure(QueueSize);
        _waitStatus = TakeStructure(4096);
    }

    /// <summary>How devices' tables are found.</summary>
    public VtdMode Mode { get; }

    /// <summary>How the IOMMU is told to invalidate.</summary>
    public VtdInvalidation Invalidation { get; }

    /// <inheritdoc/>
    public override int FaultCapacity => 1;

    /// <summary>QEMU's arguments for a machine with VT-d.</summary>
    /// <param name="mode">How devices' tables are found.</param>
    /// <param name="addressBits">The width of addresses in bits: 39 or 48.</param>
    public static IReadOnlyList<string> Arguments(VtdMode mode, int addressBits = 48)
    {
        string scalable = mode switch
        {
            VtdMode.Legacy => "",
            VtdMode.ScalableSecondStage => ",x-scalable-mode=on",
            _ => ",x-scalable-mode=on,x-flts=on",
        };
        return ["-device", $"intel-iommu,intremap=off,snoop-control=on,aw-bits={addressBits}{scalable}"];
    }

    /// <inheritdoc/>
    public override void Enable()
    {
        ulong capability = Machine.Qtest.Read64(Registers + CapabilityRegister);
        ulong extended = Machine.Qtest.Read64(Registers + ExtendedCapabilityRegister);
        if (capability is 0 or ulong.MaxValue)
        {
            throw new QemuException("The machine has no VT-d.");
        }
        if (Mode != VtdMode.Legacy && (extended & (1UL << 43)) == 0)
        {
            throw new QemuException("This VT-d has no scalable mode.");
        }
        if (Mode == VtdMode.ScalableFirstStage && (extended & (1UL << 47)) == 0)
        {
            throw new QemuException("This VT-d has no first stage.");
        }
        _faultRegister = Registers + (((capability >> 24) & 0x3ff) << 4);
        _iotlbRegister = Registers + (((extended >> 8) & 0x3ff) << 4);

        // Faults are polled for.
        Machine.Qtest.Write32(Registers + FaultControlRegister, FaultInterruptMask);
        WriteWord(_rootTable, _lowerContextTable.Value | 1);
        if (Mode != VtdMode.Legacy)
        {
            WriteWord(_rootTable + 8, _upperContextTable.Value | 1);
        }
        Machine.Qtest.Write64(Registers + RootTableRegister, _rootTable.Value | (Mode == VtdMode.Legacy ? 0 : ScalableRootTable));
        CommandOnce(SetRootTable);
        if (Invalidation == VtdInvalidation.Queue)
        {
            EnableQueue();
        }
        InvalidateContexts();
        InvalidateDomain();
        CommandAndKeep(TranslationEnable);
    }

    /// <inheritdoc/>
    public override IommuFault? TakeFault()
    {
        lock (Commands)
        {
            ulong low = Machine.Qtest.Read64(_faultRegister);
            ulong high = Machine.Qtest.Read64(_faultRegister + 8);
            const ulong Recorded = 1UL << 63;
            if ((high & Recorded) == 0)
            {
                return null;
            }
            // Writing the bit back clears the record; the overflow bit of the status is cleared the same way.
            Machine.Qtest.Write32(_faultRegister + 12, 1u << 31);
            Machine.Qtest.Write32(Registers + FaultStatusRegister, 1);
            uint code = (uint)(high >> 32) & 0xff;
            return new IommuFault(Kind(code), code, (ushort)high, new Iova(low & ~0xfffUL), (high & (1UL << 62)) == 0);
        }
    }

    // VT-d specification, table of fault conditions (chapter 7).
    private static IommuFaultKind Kind(uint code) => code switch
    {
        0x01 or 0x02 or 0x03 or 0x08 or 0x09 or 0x0a or 0x0b or 0x0d => IommuFaultKind.Device,
        (>= 0x30 and <= 0x46) or (>= 0x50 and <= 0x5f) => IommuFaultKind.Device,
        0x04 or 0x80 => IommuFaultKind.AddressSize,
        0x05 or 0x06 => IommuFaultKind.NotPermitted,
        0x07 or 0x0c or 0x70 or 0x72 or 0x78 or 0x7a => IommuFaultKind.Malformed,
        0x71 or 0x79 => IommuFaultKind.NotMapped,
        0x81 or 0x85 or 0x86 => IommuFaultKind.Permission,
        _ => IommuFaultKind.Other,
    };

    // Commands that stay in force are in every later write of the register.
    private void CommandAndKeep(uint command)
    {
        _globalCommand |= command;
        Machine.Qtest.Write32(Registers + GlobalCommandRegister, _globalCommand);
        WaitFor(() => (Machine.Qtest.Read32(Registers + GlobalStatusRegister) & command) != 0, $"carry out the global command 0x{command:x}");
    }

    private void CommandOnce(uint command)
    {
        Machine.Qtest.Write32(Registers + GlobalCommandRegister, _globalCommand | command);
        WaitFor(() => (Machine.Qtest.Read32(Registers + GlobalStatusRegister) & command) != 0, $"carry out the global command 0x{command:x}");
    }
}
