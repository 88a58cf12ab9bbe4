// The dirty-tracking sample, run small: clean with grace periods, caught without.
using System.Text.Json;
using DirtyTracking.Migration;
using IommuRcu.Tests.Memory;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Samples;

public sealed class DirtyTrackingTests(ITestOutputHelper output)
{
    [Fact]
    public void MigrationWithGracePeriods_IsClean()
    {
        MigrationReport report = Run(unsafeFree: false, TestSeed.Get(output), seconds: 1.5);
        Assert.True(report.Succeeded, Print(report));
        Assert.True(report.MemoryIdentical);
        Assert.True(report.TablePagesRetired > 0);
        Assert.Equal(0, report.TablePagesFreedAtOnce);
        Assert.True(report.GracePeriods > 0);
        Assert.True(report.CheckedTranslations > 0);
        Assert.True(report.Rounds >= 2);
    }

    [Fact]
    public void MigrationThatFreesAtOnce_IsCaught()
    {
        int seed = TestSeed.Get(output);

        // Longer and longer: on a busy machine threads rarely meet.
        foreach (double seconds in (double[])[1, 2, 4, 8, 16, 32])
        {
            MigrationReport report = Run(unsafeFree: true, seed, seconds);
            Assert.True(report.TablePagesFreedAtOnce > 0);
            Assert.Equal(0, report.TablePagesRetired);
            if (!report.Succeeded)
            {
                Assert.True(report.LateReads + report.WrongTranslations + report.LostWrites + report.Errors.Count > 0, Print(report));
                return;
            }
        }

        Assert.Fail("Freed table pages were never read.");
    }

    [Theory]
    [InlineData(0, 16, 1.0)]
    [InlineData(2, 15, 1.0)]
    [InlineData(4, 16, 1.0)]
    [InlineData(1, 16, 0.0)]
    [InlineData(1, 16, double.NaN)]
    public void SenselessOptions_AreRefused(int devices, int mebibytes, double seconds)
        => Assert.Throws<ArgumentException>(() => new LiveMigration(new MigrationOptions
        {
            Devices = devices,
            Size = (ulong)mebibytes << 20,
            Seconds = seconds,
        }));

    [Fact]
    public void Report_HasTheNamesThatMachinesReadBy()
    {
        MigrationReport report = Run(unsafeFree: false, TestSeed.Get(output), seconds: 0.2);
        using JsonDocument json = JsonDocument.Parse(Print(report));
        foreach (string name in (string[])["memoryIdentical", "wrongTranslations", "lateReads", "leakedPages", "lostWrites", "rounds",
            "pagesPerRound", "tablePagesRetired", "gracePeriods", "callbacks", "seed", "size", "devices", "unsafeFree"])
        {
            Assert.True(json.RootElement.TryGetProperty(name, out _), name);
        }
    }

    private static MigrationReport Run(bool unsafeFree, int seed, double seconds) => new LiveMigration(new MigrationOptions
    {
        Size = 32UL << 20,
        Devices = 2,
        Seconds = seconds,
        Seed = seed,
        UnsafeFree = unsafeFree,
    }).Run();

    private static string Print(MigrationReport report) => JsonSerializer.Serialize(report, MigrationReportJson.Default.MigrationReport);
}
