// The drivers of AMD-Vi, SMMUv3 and the RISC-V IOMMU, with tables written by hand.
using IommuRcu.Qemu;
using IommuRcu.Qemu.Iommus;

namespace IommuRcu.Conformance.Tests.HandBuilt;

public sealed class OtherHandBuiltTests
{
    [QemuTheory(QemuArchitecture.X64)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void AmdV1_HandBuilt_TranslatesAndRefuses(int levels) => Amd(QemuNeed.Any, levels);

    [QemuTheory(QemuArchitecture.X64, QemuNeed.Version10)]
    [InlineData(4)]
    public void AmdV1OnVersion10_HandBuilt_TranslatesAndRefuses(int levels) => Amd(QemuNeed.Version10, levels);

    private static void Amd(QemuNeed need, int levels) => HandBuiltRig.Run(
        QemuArchitecture.X64, need, AmdIommu.Arguments, "", (machine, structures) => new AmdIommu(machine, structures), HandFormats.AmdV1(levels),
        new HandBuiltExpectations { Hole = IommuFaultKind.NotPermitted, WriteDenied = IommuFaultKind.NotPermitted });

    [QemuTheory(QemuArchitecture.Arm64)]
    [InlineData(12, 48, 4, 2)]
    [InlineData(12, 39, 3, 2)]
    [InlineData(14, 47, 3, 1)]
    [InlineData(16, 42, 2, 1)]
    public void ArmStage1_HandBuilt_TranslatesAndFaults(int granuleLog2, int addressBits, int levels, int largestLevel) =>
        ArmStage1(QemuNeed.Any, granuleLog2, addressBits, levels, largestLevel);

    [QemuTheory(QemuArchitecture.Arm64, QemuNeed.Version10)]
    [InlineData(12, 48, 4, 2)]
    public void ArmStage1OnVersion10_HandBuilt_TranslatesAndFaults(int granuleLog2, int addressBits, int levels, int largestLevel) =>
        ArmStage1(QemuNeed.Version10, granuleLog2, addressBits, levels, largestLevel);

    private static void ArmStage1(QemuNeed need, int granuleLog2, int addressBits, int levels, int largestLevel) => HandBuiltRig.Run(
        QemuArchitecture.Arm64, need, SmmuV3.Arguments(1), SmmuV3.BoardProperties,
        (machine, structures) => new SmmuV3(machine, structures, new SmmuStage(1, granuleLog2, addressBits)),
        HandFormats.ArmStage1(granuleLog2, levels),
        new HandBuiltExpectations { Hole = IommuFaultKind.NotMapped, WriteDenied = IommuFaultKind.Permission, LargestLevel = largestLevel });

    [QemuTheory(QemuArchitecture.Arm64, QemuNeed.Version10)]
    [InlineData(12, 44, 4, 5, 2)]
    [InlineData(12, 39, 3, 9, 2)]
    [InlineData(14, 44, 3, 8, 1)]
    [InlineData(16, 42, 2, 13, 1)]
    public void ArmStage2_HandBuilt_TranslatesAndFaults(int granuleLog2, int addressBits, int levels, int rootIndexBits, int largestLevel) =>
        HandBuiltRig.Run(
            QemuArchitecture.Arm64, QemuNeed.Version10, SmmuV3.Arguments(2), SmmuV3.BoardProperties,
            (machine, structures) => new SmmuV3(machine, structures, new SmmuStage(2, granuleLog2, addressBits)),
            HandFormats.ArmStage2(granuleLog2, levels, rootIndexBits),
            new HandBuiltExpectations { Hole = IommuFaultKind.NotMapped, WriteDenied = IommuFaultKind.Permission, LargestLevel = largestLevel });

    [QemuTheory(QemuArchitecture.RiscV64, QemuNeed.Version10)]
    [InlineData(3, false)]
    [InlineData(4, false)]
    [InlineData(5, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    public void RiscV_HandBuilt_TranslatesAndFaults(int levels, bool secondStage) => HandBuiltRig.Run(
        QemuArchitecture.RiscV64, QemuNeed.Version10, RiscVIommu.Arguments, "",
        (machine, structures) => new RiscVIommu(machine, structures, secondStage), HandFormats.RiscV(levels, secondStage),
        new HandBuiltExpectations { Hole = IommuFaultKind.NotPermitted, WriteDenied = IommuFaultKind.NotPermitted });
}
