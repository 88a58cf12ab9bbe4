// One PCI function: its identity, its registers' address, its right to do DMA.
namespace IommuRcu.Qemu.Devices;

/// <summary>Function 0 of a slot of the root bus.</summary>
public sealed class PciFunction
{
    private const int CommandRegister = 0x04;
    private const int FirstBaseAddressRegister = 0x10;
    private const uint MemoryAndBusMaster = 0b110;
    private readonly PciHost _host;

    internal PciFunction(PciHost host, int slot)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(slot);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(slot, 31);
        _host = host;
        Slot = slot;
    }

    /// <summary>The slot on bus 0.</summary>
    public int Slot { get; }

    /// <summary>The requester id that the function's DMA carries: bus, slot, function.</summary>
    public ushort RequesterId => (ushort)(Slot << 3);

    /// <summary>The vendor's id, in the low 16 bits, and the device's, in the high 16 bits.</summary>
    public uint Identity => _host.Read(Slot, 0);

    internal QtestConnection Qtest => _host.Qtest;

    /// <summary>Places base-address register 0 and lets the function answer and do DMA.</summary>
    /// <returns>The physical address of its registers.</returns>
    /// <exception cref="QemuException">There is no such function, or it has no memory registers.</exception>
    public ulong Enable()
    {
        uint identity = Identity;
        if (identity is 0 or uint.MaxValue)
        {
            throw new QemuException($"No PCI function in slot {Slot}.");
        }
        _host.Write(Slot, FirstBaseAddressRegister, uint.MaxValue);
        uint mask = _host.Read(Slot, FirstBaseAddressRegister);
        if ((mask & ~0xfu) == 0 || (mask & 1) != 0)
        {
            throw new QemuException($"The PCI function 0x{identity:x8} in slot {Slot} has no memory registers.");
        }
        ulong size = ~(mask & ~0xfu) + 1u;
        ulong address = _host.TakeBar(size);
        _host.Write(Slot, FirstBaseAddressRegister, (uint)address);
        if ((mask & 0b110) == 0b100)
        {
            _host.Write(Slot, FirstBaseAddressRegister + 4, (uint)(address >> 32));
        }
        _host.Write(Slot, CommandRegister, MemoryAndBusMaster);
        return address;
    }
}
