// The samples as commands: what they print, and the exit codes that scripts go by.
using System.Text.Json;
using System.Xml.Linq;

namespace IommuRcu.Package.Tests;

public class SampleCommandTests
{
    private const int FormatCount = 8;

    public static TheoryData<string, string> UsageErrors => new()
    {
        { "--size abc", "--size" },
        { "--size 15", "15 MiB" },
        { "--size 0", "0 MiB" },
        { "--size -4", "'-4'" },
        { "--size 64 --devices 9", "8 MiB for each device" },
        { "--size 2000000", "too much" },
        { "--devices 0", "1 to 64 devices" },
        { "--seconds 0", "seconds" },
        { "--seconds NaN", "seconds" },
        { "--fast", "--fast" },
    };

    [Fact]
    public void DirtyTracking_PrintsOneJsonObject_AndEndsWith0WhereAllIsWell()
    {
        CommandResult run = Run("DirtyTracking", "--json --size 16 --devices 2 --seconds 0.5 --seed 7");
        run.MustSucceed();
        using JsonDocument json = JsonDocument.Parse(run.StandardOutput);
        JsonElement report = json.RootElement;
        Assert.True(report.GetProperty("memoryIdentical").GetBoolean());
        foreach (string name in (string[])["wrongTranslations", "lateReads", "leakedPages", "lostWrites", "deviceFaults"])
        {
            Assert.Equal(0, report.GetProperty(name).GetInt64());
        }

        foreach (string name in (string[])["rounds", "tablePagesRetired", "gracePeriods", "callbacks", "buffers", "checkedTranslations"])
        {
            Assert.True(report.GetProperty(name).GetInt64() > 0, name);
        }

        Assert.Equal(7, report.GetProperty("seed").GetInt32());
        Assert.Equal(16UL << 20, report.GetProperty("size").GetUInt64());
    }

    [Fact]
    public void DirtyTracking_PrintsATableForPeople()
    {
        CommandResult run = Run("DirtyTracking", "--size 16 --seconds 0.2");
        run.MustSucceed();
        foreach (string row in (string[])["rounds", "pages a round", "table pages retired", "grace periods", "callbacks", "memory identical", "leaked pages"])
        {
            Assert.Contains(row, run.StandardOutput, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void DirtyTracking_UnsafeFree_EndsWithWhatTheReportSays()
    {
        // Whether so short a run is caught is chance; that the exit code says so is not.
        CommandResult run = Run("DirtyTracking", "--json --unsafe-free --size 16 --seconds 1");
        using JsonDocument json = JsonDocument.Parse(run.StandardOutput);
        Assert.Equal(json.RootElement.GetProperty("succeeded").GetBoolean() ? 0 : 1, run.ExitCode);
        Assert.Equal(0, json.RootElement.GetProperty("tablePagesRetired").GetInt64());
        Assert.True(json.RootElement.GetProperty("tablePagesFreedAtOnce").GetInt64() > 0);
    }

    [Theory]
    [MemberData(nameof(UsageErrors))]
    public void DirtyTracking_RefusesWhatMakesNoSense(string arguments, string said) => AssertRefused(Run("DirtyTracking", arguments), said);

    [Theory]
    [InlineData("--format nonsense", "VT-d second stage")]
    [InlineData("--colour", "--colour")]
    [InlineData("--svg /dev/null/maps", "/dev/null")]
    public void PageTableDump_RefusesWhatMakesNoSense(string arguments, string said) => AssertRefused(Run("PageTableDump", arguments), said);

    [Fact]
    public void PageTableDump_WritesTextForEveryFormat()
    {
        CommandResult run = Run("PageTableDump", "--tables");
        run.MustSucceed();
        Assert.Equal(FormatCount, run.StandardOutput.Split('\n').Count(line => line.StartsWith("== ", StringComparison.Ordinal)));
    }

    [Fact]
    public void PageTableDump_WritesJsonAndAMapForEveryFormat()
    {
        string maps = Directory.CreateTempSubdirectory("iommurcu-maps-").FullName;
        try
        {
            CommandResult run = Run("PageTableDump", $"--json --tables --svg {maps}");
            run.MustSucceed();
            using JsonDocument json = JsonDocument.Parse(run.StandardOutput);
            Assert.Equal(FormatCount, json.RootElement.GetArrayLength());
            Assert.All(json.RootElement.EnumerateArray(), format =>
            {
                Assert.NotEmpty(format.GetProperty("format").GetString()!);
                Assert.True(format.GetProperty("runs").GetArrayLength() > 0);
                Assert.True(format.GetProperty("tables").GetArrayLength() > 0);
            });
            string[] files = Directory.GetFiles(maps, "*.svg");
            Assert.Equal(FormatCount, files.Length);
            Assert.All(files, file => Assert.Equal("svg", XDocument.Load(file).Root!.Name.LocalName));
        }
        finally
        {
            Directory.Delete(maps, recursive: true);
        }
    }

    [Fact]
    public void PageTableDump_FindsAFormatByPartOfItsName()
    {
        CommandResult run = Run("PageTableDump", "--format vtd --json");
        run.MustSucceed();
        using JsonDocument json = JsonDocument.Parse(run.StandardOutput);
        Assert.Equal("VT-d second stage, 4K granule", Assert.Single(json.RootElement.EnumerateArray()).GetProperty("format").GetString());
    }

    private static void AssertRefused(CommandResult run, string said)
    {
        Assert.True(run.ExitCode == 2, run.Output);
        Assert.Contains(said, run.Output, StringComparison.Ordinal);
        Assert.Empty(run.StandardOutput);
        Assert.DoesNotContain("   at ", run.Output, StringComparison.Ordinal);
    }

    private static CommandResult Run(string sample, string arguments) => DotNet.Run(
        PackageFixture.Repository,
        null,
        ["exec", Path.Combine("samples", sample, "bin", PackageFixture.Configuration, "net10.0", sample + ".dll"), .. arguments.Split(' ')]);
}
