// The names of cases as theory data.
using IommuRcu.Qemu;

namespace IommuRcu.Conformance.Tests.Judging;

internal static class CaseNames
{
    public static TheoryData<string> Of(QemuArchitecture architecture, QemuNeed need) =>
        [.. ConformanceCases.All.Where(c => c.Architecture == architecture && c.Need == need).Select(c => c.Name)];
}
