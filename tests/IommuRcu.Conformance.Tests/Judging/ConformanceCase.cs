// The combinations of format, IOMMU and QEMU version that are judged.
using IommuRcu.Qemu;
using IommuRcu.Qemu.Iommus;
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Conformance.Tests.Judging;

/// <summary>What a model does with a write through a mapping that is writable and clean.</summary>
public enum CleanPage
{
    /// <summary>It lets it through, and keeps no dirty state.</summary>
    LetsThrough,

    /// <summary>It refuses it: dirty state is software's to set.</summary>
    Refuses,

    /// <summary>It lets it through and makes the entry dirty.</summary>
    MakesDirty,
}

/// <summary>One format behind one emulated IOMMU, and what that model can tell.</summary>
public sealed record ConformanceCase
{
    public required string Name { get; init; }

    public required QemuArchitecture Architecture { get; init; }

    public QemuNeed Need { get; init; } = QemuNeed.Any;

    public required Func<IommuDomainOptions, IommuDomain> CreateDomain { get; init; }

    public int AddressBits { get; init; }

    /// <summary>The width of the addresses that are used, where the model confuses addresses that differ only in higher bits.</summary>
    public int JudgedAddressBits { get; init; }

    /// <summary>Page sizes that the model misreads are left out.</summary>
    public ulong PageSizes { get; init; } = ulong.MaxValue;

    public IReadOnlyList<string> IommuArguments { get; init; } = [];

    public string BoardProperties { get; init; } = "";

    public required Func<QemuMachine, PhysicalAddress, QemuIommu> CreateIommu { get; init; }

    /// <summary>How an access to a hole is recorded.</summary>
    public IommuFaultKind Hole { get; init; } = IommuFaultKind.NotPermitted;

    /// <summary>How an access that a mapping does not permit is recorded.</summary>
    public IommuFaultKind Denied { get; init; } = IommuFaultKind.NotPermitted;

    /// <summary>Whether a refusal by a cached translation leaves no record.</summary>
    public bool SilentWhenCached { get; init; }

    /// <summary>Whether a mapping can permit writing alone.</summary>
    public bool HasWriteOnly { get; init; }

    /// <summary>What a mapping may say beside reading and writing, one of these at random: memory types mean nothing to QEMU, but must not disturb it.</summary>
    public IReadOnlyList<IommuAccess> Attributes { get; init; } = [IommuAccess.None];

    /// <summary>Bits of entries that the device may set while it translates.</summary>
    public ulong DeviceSetsInEntries { get; init; }

    /// <summary>What a write through a clean mapping does.</summary>
    public CleanPage Clean { get; init; }

    /// <summary>Whether an invalidation drops no more than its range, so that one that is too narrow shows.</summary>
    public bool InvalidatesExactly { get; init; } = true;

    /// <summary>Bits of a leaf (level, log2 of its size, writable) whose every single flip the model shows.</summary>
    public required Func<int, int, bool, ulong> JudgedLeafBits { get; init; }

    /// <summary>Bits of a table entry (level) whose every single flip the model shows.</summary>
    public required Func<int, ulong> JudgedTableBits { get; init; }

    /// <summary>The address of the table that a table entry points to: for finding entries without the library's help.</summary>
    public Func<ulong, ulong> TableAddress { get; init; } = entry => entry & ConformanceCases.Bits(12, 51);

    public override string ToString() => Name;
}

/// <summary>All cases, by name: theories take the name, so that each shows as a test of its own.</summary>
internal static class ConformanceCases
{
    public static ulong Bits(int first, int last) => last < first ? 0 : (ulong.MaxValue >> (63 - last)) & (ulong.MaxValue << first);

    // Second-stage entries: QEMU ignores what is not permission, size or address. Its second stage says of every refusal that the access
    // is not permitted, and records none for what a cached translation refuses.
    private static ConformanceCase Vtd(string name, VtdMode mode, VtdInvalidation invalidation, int addressBits, QemuNeed need) => new()
    {
        Name = name,
        Architecture = QemuArchitecture.X64,
        Need = need,
        CreateDomain = IommuDomain.Create<VtdSecondStageFormat>,
        AddressBits = addressBits,
        IommuArguments = VtdIommu.Arguments(mode),
        CreateIommu = (machine, structures) => new VtdIommu(machine, structures, mode, invalidation),
        SilentWhenCached = true,
        HasWriteOnly = true,
        Attributes = [IommuAccess.None, IommuAccess.Cacheable],
        JudgedLeafBits = (level, _, _) => 0b11 | (level > 0 ? 1UL << 7 : 0) | Bits(12, 51) | (1UL << 62),
        JudgedTableBits = _ => 0b11 | (1UL << 7) | Bits(11, 51) | (1UL << 62),
    };

    private static ConformanceCase Amd(string name, int addressBits, QemuNeed need) => new()
    {
        Name = name,
        Architecture = QemuArchitecture.X64,
        Need = need,
        CreateDomain = IommuDomain.Create<AmdV1Format>,
        AddressBits = addressBits,
        IommuArguments = AmdIommu.Arguments,
        CreateIommu = (machine, structures) => new AmdIommu(machine, structures),
        InvalidatesExactly = false,
        Attributes = [IommuAccess.None, IommuAccess.Cacheable],
        HasWriteOnly = true,
        // A leaf's own present bit is never looked at. Below a page of its level's own size the address is cut off; a coded size is in those bits.
        JudgedLeafBits = (level, log2, _) => Bits(9, 11) | Bits(log2 == 12 + (9 * level) ? log2 : 12, 51) | Bits(61, 62),
        JudgedTableBits = _ => 1 | Bits(9, 11) | Bits(12, 51) | Bits(61, 62),
    };

    private static readonly IommuAccess[] _armAttributes =
        [IommuAccess.None, IommuAccess.Cacheable, IommuAccess.Mmio, IommuAccess.Execute, IommuAccess.Execute | IommuAccess.Cacheable];

    private static int ItemLog2<TGranule>(int level)
        where TGranule : struct, IArmGranule => TGranule.SizeLog2 + (level * (TGranule.SizeLog2 - 3));

    private static ConformanceCase ArmStage1<TGranule>(string name, int addressBits, QemuNeed need)
        where TGranule : struct, IArmGranule => new()
    {
        Name = name,
        Architecture = QemuArchitecture.Arm64,
        Need = need,
        CreateDomain = IommuDomain.Create<ArmStage1Format<TGranule>>,
        AddressBits = addressBits,
        IommuArguments = SmmuV3.Arguments(1),
        BoardProperties = SmmuV3.BoardProperties,
        CreateIommu = (machine, structures) => new SmmuV3(machine, structures, new SmmuStage(1, TGranule.SizeLog2, addressBits)),
        Attributes = _armAttributes,
        Hole = IommuFaultKind.NotMapped,
        Denied = IommuFaultKind.Permission,
        Clean = CleanPage.Refuses,
        // Attributes and the contiguous hint mean nothing to it, nor in QEMU 7.2 does the access flag.
        JudgedLeafBits = (level, _, _) => 0b11 | (1UL << 7) | (need == QemuNeed.Version10 ? 1UL << 10 : 0) | Bits(ItemLog2<TGranule>(level), 47),
        JudgedTableBits = _ => 0b11 | (1UL << 62) | Bits(TGranule.SizeLog2, 47),
        TableAddress = entry => entry & Bits(TGranule.SizeLog2, 47),
    };

    private static ConformanceCase ArmStage2<TGranule>(string name, int addressBits)
        where TGranule : struct, IArmGranule => new()
    {
        Name = name,
        Architecture = QemuArchitecture.Arm64,
        Need = QemuNeed.Version10,
        CreateDomain = IommuDomain.Create<ArmStage2Format<TGranule>>,
        AddressBits = addressBits,
        IommuArguments = SmmuV3.Arguments(2),
        BoardProperties = SmmuV3.BoardProperties,
        CreateIommu = (machine, structures) => new SmmuV3(machine, structures, new SmmuStage(2, TGranule.SizeLog2, addressBits)),
        Attributes = _armAttributes,
        Hole = IommuFaultKind.NotMapped,
        Denied = IommuFaultKind.Permission,
        SilentWhenCached = true,
        HasWriteOnly = true,
        Clean = CleanPage.Refuses,
        JudgedLeafBits = (level, _, _) => 0b11 | Bits(6, 7) | (1UL << 10) | Bits(ItemLog2<TGranule>(level), 47),
        JudgedTableBits = _ => 0b11 | Bits(TGranule.SizeLog2, 47),
        TableAddress = entry => entry & Bits(TGranule.SizeLog2, 47),
    };

    // QEMU 10 does not know runs of 16 pages (Svnapot): it would read the size's code as address. They are left out. Its cache tells
    // addresses apart by 44 bits of page number.
    private static ConformanceCase RiscV(string name, int addressBits, bool secondStage) => new()
    {
        Name = name,
        Architecture = QemuArchitecture.RiscV64,
        Need = QemuNeed.Version10,
        CreateDomain = secondStage ? IommuDomain.Create<RiscVSecondStageFormat> : IommuDomain.Create<RiscVFirstStageFormat>,
        AddressBits = addressBits,
        Attributes = [IommuAccess.None, IommuAccess.Mmio, IommuAccess.Execute],
        JudgedAddressBits = int.Min(addressBits, 56),
        PageSizes = ~(1UL << 16),
        IommuArguments = RiscVIommu.Arguments,
        CreateIommu = (machine, structures) => new RiscVIommu(machine, structures, secondStage),
        SilentWhenCached = true,
        Clean = CleanPage.Refuses,
        JudgedLeafBits = (_, _, writable) => 0b111 | (writable ? 1UL << 7 : 1UL << 6) | Bits(10, 61),
        JudgedTableBits = _ => 0b1111 | Bits(10, 61),
        TableAddress = entry => (entry & Bits(10, 53)) << 2,
    };

    public static IReadOnlyList<ConformanceCase> All { get; } =
    [
        Vtd("VT-d legacy, 4 levels", VtdMode.Legacy, VtdInvalidation.Queue, 48, QemuNeed.Any),
        Vtd("VT-d legacy, 3 levels, registers", VtdMode.Legacy, VtdInvalidation.Registers, 39, QemuNeed.Any),
        Vtd("VT-d scalable, second stage, 4 levels", VtdMode.ScalableSecondStage, VtdInvalidation.Queue, 48, QemuNeed.Any),
        Vtd("VT-d legacy, 4 levels, QEMU 10", VtdMode.Legacy, VtdInvalidation.Queue, 48, QemuNeed.Version10),
        Vtd("VT-d scalable, second stage, QEMU 10", VtdMode.ScalableSecondStage, VtdInvalidation.Queue, 48, QemuNeed.Version10),
        new()
        {
            Name = "VT-d scalable, x86-64 first stage, QEMU 10",
            Architecture = QemuArchitecture.X64,
            Need = QemuNeed.Version10,
            CreateDomain = IommuDomain.Create<X86FirstStageFormat>,
            AddressBits = 48,
            IommuArguments = VtdIommu.Arguments(VtdMode.ScalableFirstStage),
            CreateIommu = (machine, structures) => new VtdIommu(machine, structures, VtdMode.ScalableFirstStage),
            SilentWhenCached = true,
            Hole = IommuFaultKind.NotMapped,
            Denied = IommuFaultKind.Permission,
            Clean = CleanPage.MakesDirty,
            DeviceSetsInEntries = Bits(5, 6),
            JudgedLeafBits = (level, _, _) => 0b111 | (level > 0 ? 1UL << 7 : 0) | Bits(level > 0 ? 13 : 12, 51),
            JudgedTableBits = _ => 0b111 | (1UL << 7) | Bits(12, 51),
        },
        Amd("AMD v1, 48 bits", 48, QemuNeed.Any),
        Amd("AMD v1, 64 bits", 64, QemuNeed.Any),
        Amd("AMD v1, 48 bits, QEMU 10", 48, QemuNeed.Version10),
        ArmStage1<ArmGranule4K>("Arm stage 1, 4 KiB, 48 bits", 48, QemuNeed.Any),
        ArmStage1<ArmGranule4K>("Arm stage 1, 4 KiB, 42 bits", 42, QemuNeed.Any),
        ArmStage1<ArmGranule16K>("Arm stage 1, 16 KiB, 47 bits", 47, QemuNeed.Any),
        ArmStage1<ArmGranule64K>("Arm stage 1, 64 KiB, 48 bits", 48, QemuNeed.Any),
        ArmStage1<ArmGranule4K>("Arm stage 1, 4 KiB, 48 bits, QEMU 10", 48, QemuNeed.Version10),
        ArmStage2<ArmGranule4K>("Arm stage 2, 4 KiB, 44 bits, QEMU 10", 44),
        ArmStage2<ArmGranule4K>("Arm stage 2, 4 KiB, 39 bits, QEMU 10", 39),
        ArmStage2<ArmGranule16K>("Arm stage 2, 16 KiB, 44 bits, QEMU 10", 44),
        ArmStage2<ArmGranule64K>("Arm stage 2, 64 KiB, 42 bits, QEMU 10", 42),
        RiscV("RISC-V Sv39, QEMU 10", 39, secondStage: false),
        RiscV("RISC-V Sv48, QEMU 10", 48, secondStage: false),
        RiscV("RISC-V Sv57, QEMU 10", 57, secondStage: false),
        RiscV("RISC-V Sv39x4, QEMU 10", 41, secondStage: true),
        RiscV("RISC-V Sv48x4, QEMU 10", 50, secondStage: true),
        RiscV("RISC-V Sv57x4, QEMU 10", 59, secondStage: true),
    ];

    public static ConformanceCase Get(string name) => All.Single(c => c.Name == name);
}
