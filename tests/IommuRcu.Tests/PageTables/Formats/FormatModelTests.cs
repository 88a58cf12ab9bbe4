// Every format against the naive model and a walk by the book: random operations, each result compared with both.
using IommuRcu.Tests.Memory;
using IommuRcu.Tests.PageTables.Formats.Walkers;
using Xunit.Abstractions;

namespace IommuRcu.Tests.PageTables.Formats;

public sealed class FormatModelTests(ITestOutputHelper output)
{
    private static int Steps => int.TryParse(Environment.GetEnvironmentVariable("IOMMURCU_MODEL_STEPS"), out int steps) ? steps : 600;

    [Theory]
    [InlineData(39)]
    [InlineData(48)]
    [InlineData(57)]
    public void VtdSecondStage_DoesWhatTheModelDoes(int addressBits) => Run<VtdSecondStageFormat>(addressBits, VtdSecondStageWalker.Walk);

    [Theory]
    [InlineData(39)]
    [InlineData(48)]
    [InlineData(57)]
    [InlineData(64)]
    public void AmdV1_DoesWhatTheModelDoes(int addressBits) => Run<AmdV1Format>(addressBits, AmdV1Walker.Walk);

    [Theory]
    [InlineData(48)]
    [InlineData(57)]
    public void X86FirstStage_DoesWhatTheModelDoes(int addressBits) => Run<X86FirstStageFormat>(addressBits, X86FirstStageWalker.Walk);

    [Theory]
    [InlineData(25)]
    [InlineData(31)]
    [InlineData(39)]
    [InlineData(48)]
    public void ArmStage1Granule4K_DoesWhatTheModelDoes(int addressBits) =>
        Run<ArmStage1Format<ArmGranule4K>>(addressBits, ArmWalker.Stage1(12));

    [Theory]
    [InlineData(25)]
    [InlineData(36)]
    [InlineData(40)]
    [InlineData(48)]
    public void ArmStage1Granule16K_DoesWhatTheModelDoes(int addressBits) =>
        Run<ArmStage1Format<ArmGranule16K>>(addressBits, ArmWalker.Stage1(14));

    [Theory]
    [InlineData(29)]
    [InlineData(34)]
    [InlineData(48)]
    public void ArmStage1Granule64K_DoesWhatTheModelDoes(int addressBits) =>
        Run<ArmStage1Format<ArmGranule64K>>(addressBits, ArmWalker.Stage1(16));

    [Theory]
    [InlineData(31)]
    [InlineData(34)]
    [InlineData(40)]
    [InlineData(43)]
    [InlineData(48)]
    public void ArmStage2Granule4K_DoesWhatTheModelDoes(int addressBits) =>
        Run<ArmStage2Format<ArmGranule4K>>(addressBits, ArmWalker.Stage2(12));

    [Theory]
    [InlineData(37)]
    [InlineData(40)]
    [InlineData(48)]
    public void ArmStage2Granule16K_DoesWhatTheModelDoes(int addressBits) =>
        Run<ArmStage2Format<ArmGranule16K>>(addressBits, ArmWalker.Stage2(14));

    [Theory]
    [InlineData(42)]
    [InlineData(46)]
    [InlineData(48)]
    public void ArmStage2Granule64K_DoesWhatTheModelDoes(int addressBits) =>
        Run<ArmStage2Format<ArmGranule64K>>(addressBits, ArmWalker.Stage2(16));

    [Theory]
    [InlineData(39)]
    [InlineData(48)]
    [InlineData(57)]
    public void RiscVFirstStage_DoesWhatTheModelDoes(int addressBits) => Run<RiscVFirstStageFormat>(addressBits, RiscVWalker.FirstStage);

    [Theory]
    [InlineData(41)]
    [InlineData(50)]
    [InlineData(59)]
    public void RiscVSecondStage_DoesWhatTheModelDoes(int addressBits) => Run<RiscVSecondStageFormat>(addressBits, RiscVWalker.SecondStage);

    [Fact]
    public void LimitedPageSizes_AreTheOnlyOnesUsed()
    {
        Run<AmdV1Format>(48, AmdV1Walker.Walk, (1UL << 12) | (1UL << 16) | (1UL << 21));
        Run<RiscVSecondStageFormat>(41, RiscVWalker.SecondStage, ~(1UL << 16)); // hardware without Svnapot
        Run<ArmStage1Format<ArmGranule4K>>(39, ArmWalker.Stage1(12), 1UL << 12);
    }

    private void Run<TFormat>(int addressBits, SpecifiedWalker walker, ulong pageSizes = ulong.MaxValue)
        where TFormat : struct, IPageTableFormat
    {
        int seed = TestSeed.Get(output);
        using var run = new FormatModelRun<TFormat>(addressBits, seed, walker, pageSizes);
        for (int step = 0; step < Steps; step++)
        {
            run.Step();
            if (step % 100 == 99)
            {
                run.CompareAll();
            }
        }

        output.WriteLine(
            $"{TFormat.Name}, {addressBits} bits: {run.Mapped} mapped, {run.Unmapped} pages unmapped, {run.Refused} refused, "
            + $"{run.DirtyFound} dirty, {run.Protected} protected, {run.SplitPages} split, {run.Merged} merged, {run.SizesSeen.Count} page sizes");
        Assert.True(run.Mapped > Steps / 50 && run.Unmapped > 0);
    }
}
