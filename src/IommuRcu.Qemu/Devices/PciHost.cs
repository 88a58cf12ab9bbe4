// PCI configuration space of the three boards, and where memory for devices' registers is handed out.
namespace IommuRcu.Qemu.Devices;

/// <summary>A PCI host bridge: configuration accesses, and a range of addresses for base-address registers.</summary>
internal sealed class PciHost
{
    private readonly QtestConnection _qtest;
    private readonly ulong? _ecam;
    private ulong _nextBar;

    private PciHost(QtestConnection qtest, ulong? ecam, ulong firstBar)
    {
        _qtest = qtest;
        _ecam = ecam;
        _nextBar = firstBar;
    }

    public QtestConnection Qtest => _qtest;

    // Addresses are the boards' own: q35 reaches configuration space through ports, the two virt boards through memory.
    public static PciHost Create(QemuArchitecture architecture, QtestConnection qtest) => architecture switch
    {
        QemuArchitecture.X64 => new PciHost(qtest, null, 0xc0000000),
        QemuArchitecture.Arm64 => new PciHost(qtest, 0x40_1000_0000, 0x10000000),
        _ => new PciHost(qtest, 0x30000000, 0x40000000),
    };

    public uint Read(int slot, int register)
    {
        if (_ecam is { } ecam)
        {
            return _qtest.Read32(ecam + ((ulong)slot << 15) + (ulong)register);
        }
        QtestBatch batch = _qtest.Batch();
        batch.Out32(0xcf8, PortAddress(slot, register));
        int answer = batch.In32(0xcfc);
        return (uint)batch.Run()[answer];
    }

    public void Write(int slot, int register, uint value)
    {
        if (_ecam is { } ecam)
        {
            _qtest.Write32(ecam + ((ulong)slot << 15) + (ulong)register, value);
            return;
        }
        QtestBatch batch = _qtest.Batch();
        batch.Out32(0xcf8, PortAddress(slot, register));
        batch.Out32(0xcfc, value);
        batch.Run();
    }

    // A naturally aligned piece of the range that the board routes to PCI.
    public ulong TakeBar(ulong size)
    {
        ulong address = (_nextBar + size - 1) & ~(size - 1);
        _nextBar = address + size;
        return address;
    }

    private static uint PortAddress(int slot, int register) => 0x80000000u | ((uint)slot << 11) | (uint)(register & 0xfc);
}
