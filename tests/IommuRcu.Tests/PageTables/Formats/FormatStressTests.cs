// Every format under concurrent mappers, a walker and a scanner.
using System.Globalization;
using IommuRcu.Tests.Memory;
using Xunit.Abstractions;

namespace IommuRcu.Tests.PageTables.Formats;

public sealed class FormatStressTests(ITestOutputHelper output)
{
    private static TimeSpan Duration =>
        double.TryParse(Environment.GetEnvironmentVariable("IOMMURCU_STRESS_SECONDS"), CultureInfo.InvariantCulture, out double seconds)
            ? TimeSpan.FromSeconds(seconds)
            : TimeSpan.FromSeconds(0.6);

    [Fact]
    public void VtdSecondStage_ShowsOnlyWhatWasMapped() => Run<VtdSecondStageFormat>(48);

    [Fact]
    public void AmdV1_ShowsOnlyWhatWasMapped() => Run<AmdV1Format>(39);

    [Fact]
    public void X86FirstStage_ShowsOnlyWhatWasMapped() => Run<X86FirstStageFormat>(48);

    [Fact]
    public void ArmStage1Granule4K_ShowsOnlyWhatWasMapped() => Run<ArmStage1Format<ArmGranule4K>>(48);

    [Fact]
    public void ArmStage1Granule16K_ShowsOnlyWhatWasMapped() => Run<ArmStage1Format<ArmGranule16K>>(47);

    [Fact]
    public void ArmStage1Granule64K_ShowsOnlyWhatWasMapped() => Run<ArmStage1Format<ArmGranule64K>>(48);

    [Fact]
    public void ArmStage2Granule4K_ShowsOnlyWhatWasMapped() => Run<ArmStage2Format<ArmGranule4K>>(40);

    [Fact]
    public void ArmStage2Granule16K_ShowsOnlyWhatWasMapped() => Run<ArmStage2Format<ArmGranule16K>>(48);

    [Fact]
    public void ArmStage2Granule64K_ShowsOnlyWhatWasMapped() => Run<ArmStage2Format<ArmGranule64K>>(46);

    [Fact]
    public void RiscVFirstStage_ShowsOnlyWhatWasMapped() => Run<RiscVFirstStageFormat>(39);

    [Fact]
    public void RiscVSecondStage_ShowsOnlyWhatWasMapped() => Run<RiscVSecondStageFormat>(41);

    [Fact]
    public void UsersOwnFormat_ShowsOnlyWhatWasMapped() => Run<AcceleratorFormat>(39);

    private void Run<TFormat>(int addressBits)
        where TFormat : struct, IPageTableFormat
    {
        using var tested = new FormatDomain<TFormat>(addressBits);
        var run = new FormatStressRun<TFormat>(tested, TestSeed.Get(output));
        run.Run(Duration);
        output.WriteLine($"{TFormat.Name}: {run.Operations} operations, {run.Translations} translations checked");
        Assert.Empty(tested.Walk());
        Assert.True(run.Operations > 100 && run.Translations > 0);
    }
}
