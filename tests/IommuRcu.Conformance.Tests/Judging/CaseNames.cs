// The names of cases as theory data, by the machine that they need.
using IommuRcu.Qemu;

namespace IommuRcu.Conformance.Tests.Judging;

internal static class CaseNames
{
    public static TheoryData<string> X64 => Of(QemuArchitecture.X64, QemuNeed.Any);

    public static TheoryData<string> X64Version10 => Of(QemuArchitecture.X64, QemuNeed.Version10);

    public static TheoryData<string> Arm64 => Of(QemuArchitecture.Arm64, QemuNeed.Any);

    public static TheoryData<string> Arm64Version10 => Of(QemuArchitecture.Arm64, QemuNeed.Version10);

    public static TheoryData<string> RiscV64Version10 => Of(QemuArchitecture.RiscV64, QemuNeed.Version10);

    private static TheoryData<string> Of(QemuArchitecture architecture, QemuNeed need) =>
        [.. ConformanceCases.All.Where(c => c.Architecture == architecture && c.Need == need).Select(c => c.Name)];
}
