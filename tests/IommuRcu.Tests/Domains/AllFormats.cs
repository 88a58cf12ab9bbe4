// Every format that the library ships, with each granule and width, as test data.
namespace IommuRcu.Tests.Domains;

public sealed record FormatCase(string Name, PageTableFormat Format, int AddressBits, int GranuleLog2)
{
    public override string ToString() => Name;
}

public static class AllFormats
{
    public static IEnumerable<FormatCase> All { get; } =
    [
        new("vtd-39", PageTableFormat.VtdSecondStage, 39, 12),
        new("vtd-48", PageTableFormat.VtdSecondStage, 48, 12),
        new("vtd-57", PageTableFormat.VtdSecondStage, 57, 12),
        new("amd-39", PageTableFormat.AmdV1, 39, 12),
        new("amd-48", PageTableFormat.AmdV1, 48, 12),
        new("amd-64", PageTableFormat.AmdV1, 64, 12),
        new("x86-48", PageTableFormat.X86FirstStage, 48, 12),
        new("x86-57", PageTableFormat.X86FirstStage, 57, 12),
        new("arm1-4k", PageTableFormat.ArmStage1, 48, 12),
        new("arm1-16k", PageTableFormat.ArmStage1, 48, 14),
        new("arm1-64k", PageTableFormat.ArmStage1, 48, 16),
        new("arm1-4k-36", PageTableFormat.ArmStage1, 36, 12),
        new("arm2-4k-40", PageTableFormat.ArmStage2, 40, 12),
        new("arm2-16k-40", PageTableFormat.ArmStage2, 40, 14),
        new("arm2-64k-40", PageTableFormat.ArmStage2, 40, 16),
        new("riscv1-39", PageTableFormat.RiscVFirstStage, 39, 12),
        new("riscv1-48", PageTableFormat.RiscVFirstStage, 48, 12),
        new("riscv1-57", PageTableFormat.RiscVFirstStage, 57, 12),
        new("riscv2-41", PageTableFormat.RiscVSecondStage, 41, 12),
        new("riscv2-50", PageTableFormat.RiscVSecondStage, 50, 12),
        new("riscv2-59", PageTableFormat.RiscVSecondStage, 59, 12),
    ];

    public static TheoryData<string> Names
    {
        get
        {
            var data = new TheoryData<string>();
            foreach (FormatCase format in All)
            {
                data.Add(format.Name);
            }

            return data;
        }
    }

    public static FormatCase Get(string name) => All.Single(f => f.Name == name);

    internal static DomainFixture Open(string name, Func<IommuDomainOptions, IommuDomainOptions>? configure = null, ulong memoryBytes = 64UL << 20)
    {
        FormatCase format = Get(name);
        return new DomainFixture(
            format.Format,
            o =>
            {
                o = o with { AddressBits = format.AddressBits, GranuleLog2 = format.GranuleLog2 };
                return configure?.Invoke(o) ?? o;
            },
            memoryBytes);
    }
}
