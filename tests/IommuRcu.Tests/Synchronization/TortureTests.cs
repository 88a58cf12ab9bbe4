// Torture: nothing is freed under a reader; and each way of breaking the protocol is noticed.
using Xunit.Abstractions;

namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed class TortureTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>Within so many sections a broken protocol must be noticed; it takes some thousands. SwitchTests has each broken in scripted rounds.</summary>
    private const long Rounds = 20_000_000;

    // Only for a machine that has next to no time for the test.
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(3);

    public void Dispose() => TestHooks.Reset();

    /// <summary>Seconds by default; for minutes set IOMMURCU_TORTURE_SECONDS. Replay with IOMMURCU_SEED.</summary>
    [Fact]
    public void Protocol_SurvivesTorture()
    {
        using var torture = new Torture(new TortureOptions(TestSeed.Value, TestSeed.Duration(5)) { Readers = 3, Writers = 4 });
        torture.Run();
        output.WriteLine(torture.Summary);
        Assert.True(torture.Fault == null, torture.Summary);
    }

    [Fact]
    public void ProtocolWithFullStoreBuffers_SurvivesTorture()
    {
        using var torture = new Torture(new TortureOptions(TestSeed.Value, TestSeed.Duration(3)) { FillsStoreBuffers = true, Churners = 0, Sleepers = 0 });
        torture.Run();
        output.WriteLine(torture.Summary);
        Assert.True(torture.Fault == null, torture.Summary);
    }

    [Fact]
    public void ScanThatSkipsOneThread_IsCaught() => Catches(new(TestSeed.Value, _patience) { Sabotage = static slot => TestHooks.SkippedSlot = slot });

    [Fact]
    public void CallbackOneGracePeriodEarly_IsCaught() =>
        Catches(new(TestSeed.Value, _patience) { Sabotage = static _ => TestHooks.RunsCallbacksEarly = true });

    [Fact]
    public void SlotReusedTooEarly_IsCaught() => Catches(new(TestSeed.Value, _patience) { Sabotage = static slot => TestHooks.ReusedSlot = slot });

    [Fact]
    public void SleepableScanThatSkipsOneSection_IsCaught() => Catches(new(TestSeed.Value, _patience)
    {
        Sabotage = static _ => TestHooks.SkippedCell = 0,
        SleepersOnly = true,
        Readers = 0,
        Churners = 0,
    });

    [Fact]
    public void SleepableCallbackOneGracePeriodEarly_IsCaught() => Catches(new(TestSeed.Value, _patience)
    {
        Sabotage = static _ => TestHooks.RunsCallbacksEarly = true,
        SleepersOnly = true,
        Readers = 0,
        Churners = 0,
    });

    [Fact]
    public void SleepableProtocol_SurvivesTorture()
    {
        using var torture = new Torture(new TortureOptions(TestSeed.Value, TestSeed.Duration(3)) { SleepersOnly = true, Sleepers = 4, Readers = 0, Churners = 0 });
        torture.Run();
        output.WriteLine(torture.Summary);
        Assert.True(torture.Fault == null, torture.Summary);
    }

    [Fact]
    public void NoProcessWideBarrier_IsCaught() => Catches(new(TestSeed.Value, _patience)
    {
        Sabotage = static _ => TestHooks.SkipsBarrier = true,
        FillsStoreBuffers = true,
        SynchronizesOnly = true,
        Readers = 1,
        Writers = 1,
        Churners = 0,
        Sleepers = 0,
    });

    private void Catches(TortureOptions options)
    {
        using var torture = new Torture(options with { Rounds = Rounds });
        torture.Run();
        output.WriteLine(torture.Summary);
        Assert.True(torture.Fault != null, "Not noticed. " + torture.Summary);
    }
}
