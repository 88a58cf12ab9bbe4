// A whole emulated machine: processor parked, RAM shared, PCI reachable, and edu devices to do DMA.
using System.Globalization;
using IommuRcu.Qemu.Devices;

namespace IommuRcu.Qemu.Machines;

/// <summary>What an emulated machine is made of.</summary>
public sealed record QemuMachineOptions
{
    /// <summary>The QEMU program; its architecture chooses the board.</summary>
    public required QemuInstallation Installation { get; init; }

    /// <summary>RAM in bytes, a multiple of 1 GiB of at least 4 GiB. The file is sparse: only what is written takes memory.</summary>
    public ulong MemorySize { get; init; } = 8UL << 30;

    /// <summary>How many <c>edu</c> devices sit side by side, 1 to 24.</summary>
    public int EduDevices { get; init; } = 16;

    /// <summary>Properties added to the board, for example <c>iommu=smmuv3</c>; empty for none.</summary>
    public string BoardProperties { get; init; } = "";

    /// <summary>Further arguments, put before the <c>edu</c> devices: an IOMMU that is a device of its own.</summary>
    public IReadOnlyList<string> IommuArguments { get; init; } = [];

    /// <summary>How long QEMU may take to start.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long QEMU may take to answer one command.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>
/// A running emulated machine. Its processor does nothing; everything is done from outside through qtest. Safe from any thread, but a
/// device belongs to one thread at a time.
/// </summary>
public sealed class QemuMachine : IDisposable
{
    private const int FirstEduSlot = 4;
    private readonly QemuProcess _process;
    private readonly PciHost _host;

    private QemuMachine(QemuProcess process, GuestMemory memory, PciHost host, QemuMachineOptions options)
    {
        _process = process;
        _host = host;
        Memory = memory;
        Options = options;
        Edus = [];
    }

    /// <summary>What the machine was made from.</summary>
    public QemuMachineOptions Options { get; }

    /// <summary>The RAM.</summary>
    public GuestMemory Memory { get; }

    /// <summary>The qtest connection.</summary>
    public QtestConnection Qtest => _process.Qtest;

    /// <summary>The <c>edu</c> devices, switched on.</summary>
    public IReadOnlyList<EduDevice> Edus { get; private set; }

    /// <summary>Whether QEMU has ended by itself, which it never should.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What QEMU wrote to its error output.</summary>
    public string Errors => _process.Errors;

    /// <summary>Starts the machine and switches its <c>edu</c> devices on.</summary>
    /// <param name="options">What it is made of.</param>
    /// <exception cref="ArgumentNullException">No options are given.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The memory size or the number of devices is not possible.</exception>
    /// <exception cref="QemuException">QEMU did not start.</exception>
    public static QemuMachine Start(QemuMachineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MemorySize, 4UL << 30);
        ArgumentOutOfRangeException.ThrowIfNotEqual(options.MemorySize % (1UL << 30), 0UL);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.EduDevices, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.EduDevices, 24);

        var memory = new GuestMemory(Windows(options.Installation.Architecture, options.MemorySize));
        string firmware = memory.Path + ".firmware";
        QemuProcess? process = null;
        try
        {
            if (options.Installation.Architecture == QemuArchitecture.X64)
            {
                File.WriteAllBytes(firmware, ParkingFirmware.X64Image());
            }
            process = QemuProcess.Start(options.Installation, Arguments(options, memory.Path, firmware), options.StartTimeout, options.AnswerTimeout);
            PciHost host = PciHost.Create(options.Installation.Architecture, process.Qtest);
            var machine = new QemuMachine(process, memory, host, options);
            var edus = new EduDevice[options.EduDevices];
            for (int i = 0; i < edus.Length; i++)
            {
                edus[i] = new EduDevice(machine.Function(FirstEduSlot + i));
            }
            machine.Edus = edus;

            // Both have it open: from now on the RAM vanishes with its last user, even if this process is killed.
            memory.Unlink();
            return machine;
        }
        catch
        {
            process?.Dispose();
            memory.Dispose();
            throw;
        }
        finally
        {
            File.Delete(firmware);
        }
    }

    /// <summary>The PCI function 0 of a slot of the root bus.</summary>
    /// <param name="slot">The slot, 0 to 31.</param>
    public PciFunction Function(int slot) => new(_host, slot);

    private static string Number(ulong value) => value.ToString(CultureInfo.InvariantCulture);

    private static GuestMemoryWindow[] Windows(QemuArchitecture architecture, ulong size) => architecture switch
    {
        // Above 2 GiB of memory, q35 puts 2 GiB below and the rest above 4 GiB.
        QemuArchitecture.X64 => [new(new(0), 2UL << 30, 0), new(new(4UL << 30), size - (2UL << 30), 2UL << 30)],
        QemuArchitecture.Arm64 => [new(new(1UL << 30), size, 0)],
        _ => [new(new(2UL << 30), size, 0)],
    };

    private static List<string> Arguments(QemuMachineOptions options, string memoryPath, string firmware)
    {
        string board = options.Installation.Architecture switch
        {
            QemuArchitecture.X64 => "q35,hpet=off,pit=off,smm=off",
            QemuArchitecture.Arm64 => "virt,gic-version=3",
            _ => "virt",
        };
        string properties = options.BoardProperties.Length == 0 ? "" : "," + options.BoardProperties;
        List<string> arguments =
        [
            "-nodefaults", "-no-user-config", "-display", "none", "-serial", "none", "-monitor", "none", "-parallel", "none",
            "-machine", $"{board},memory-backend=ram{properties}",
            "-object", $"memory-backend-file,id=ram,share=on,prealloc=off,size={Number(options.MemorySize)},mem-path={memoryPath}",
            "-m", $"{Number(options.MemorySize >> 20)}M",
            // With the processor parked and virtual time not bound to the host's, time jumps to the next timer: a device's DMA starts at once.
            "-accel", "tcg", "-icount", "shift=0,sleep=off",
        ];
        arguments.AddRange(options.Installation.Architecture switch
        {
            QemuArchitecture.X64 => ["-bios", firmware],
            QemuArchitecture.Arm64 =>
            [
                "-cpu", "max", "-device", $"loader,addr=0x41000000,data=0x{ParkingFirmware.Arm64Words:x},data-len=8",
                "-device", "loader,addr=0x41000000,cpu-num=0",
            ],
            _ => (string[])["-bios", "none", "-device", $"loader,addr=0x80000000,data=0x{ParkingFirmware.RiscV64Words:x},data-len=8"],
        });
        arguments.AddRange(options.IommuArguments);
        for (int i = 0; i < options.EduDevices; i++)
        {
            arguments.AddRange(["-device", string.Create(CultureInfo.InvariantCulture, $"edu,dma_mask=0xffffffffffffffff,addr=0x{FirstEduSlot + i:x}")]);
        }
        return arguments;
    }

    /// <summary>Ends QEMU and unmaps the RAM. Nobody may use either any more.</summary>
    public void Dispose()
    {
        _process.Dispose();
        Memory.Dispose();
    }
}
