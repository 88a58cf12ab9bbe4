// VT-d's driver in every mode, with tables written by hand.
using IommuRcu.Qemu;
using IommuRcu.Qemu.Iommus;

namespace IommuRcu.Conformance.Tests.HandBuilt;

public sealed class VtdHandBuiltTests
{
    [QemuTheory(QemuArchitecture.X64)]
    [InlineData(VtdMode.Legacy, VtdInvalidation.Queue, 3)]
    [InlineData(VtdMode.Legacy, VtdInvalidation.Queue, 4)]
    [InlineData(VtdMode.Legacy, VtdInvalidation.Registers, 4)]
    [InlineData(VtdMode.ScalableSecondStage, VtdInvalidation.Queue, 4)]
    public void SecondStage_HandBuilt_TranslatesAndFaults(VtdMode mode, VtdInvalidation invalidation, int levels) =>
        SecondStage(QemuNeed.Any, mode, invalidation, levels);

    [QemuTheory(QemuArchitecture.X64, QemuNeed.Version10)]
    [InlineData(VtdMode.Legacy, VtdInvalidation.Queue, 4)]
    [InlineData(VtdMode.ScalableSecondStage, VtdInvalidation.Queue, 4)]
    public void SecondStageOnVersion10_HandBuilt_TranslatesAndFaults(VtdMode mode, VtdInvalidation invalidation, int levels) =>
        SecondStage(QemuNeed.Version10, mode, invalidation, levels);

    [QemuFact(QemuArchitecture.X64, QemuNeed.Version10)]
    public void FirstStage_HandBuilt_TranslatesAndFaults() => HandBuiltRig.Run(
        QemuArchitecture.X64, QemuNeed.Version10, VtdIommu.Arguments(VtdMode.ScalableFirstStage), "",
        (machine, structures) => new VtdIommu(machine, structures, VtdMode.ScalableFirstStage), HandFormats.X86FirstStage(4),
        new HandBuiltExpectations { Hole = IommuFaultKind.NotMapped, WriteDenied = IommuFaultKind.Permission });

    private static void SecondStage(QemuNeed need, VtdMode mode, VtdInvalidation invalidation, int levels) => HandBuiltRig.Run(
        QemuArchitecture.X64, need, VtdIommu.Arguments(mode), "",
        (machine, structures) => new VtdIommu(machine, structures, mode, invalidation), HandFormats.VtdSecondStage(levels),
        new HandBuiltExpectations { Hole = IommuFaultKind.NotPermitted, WriteDenied = IommuFaultKind.NotPermitted });
}
