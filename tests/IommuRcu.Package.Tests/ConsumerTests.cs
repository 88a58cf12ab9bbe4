// What a user gets from one package reference: warnings, errors in CI, SARIF, severities by configuration, fixes by command.
using System.Text.Json;

namespace IommuRcu.Package.Tests;

[Collection(nameof(PackageCollection))]
public class ConsumerTests(PackageFixture packages)
{
    private const string Mistakes =
        """
        using IommuRcu;
        using IommuRcu.Annotations;
        using IommuRcu.Memory;

        public class Table
        {
            [RequiresReadLock(DomainType = typeof(Rcu))]
            public int First() => 0;
        }

        public static class Driver
        {
            public static int Walk(Table table)
            {
                return table.First();
            }

            public static int Drop(Table table)
            {
                Rcu.ReadLock();
                return table.First();
            }

            public static void Free(PageAllocator allocator, TablePage page)
            {
                allocator.Free(page);
            }

            public static void Wait()
            {
                using (Rcu.ReadLock())
                {
                    Rcu.Synchronize();
                }
            }
        }
        """;

    private static readonly string[] _warnings =
    [
        "Mistakes.cs(15): warning IRCU001",
        "Mistakes.cs(20): warning IRCU030",
        "Mistakes.cs(26): warning IRCU040",
        "Mistakes.cs(33): warning IRCU020",
    ];

    [Fact]
    public void Build_WarnsWithHelpLinksAndWritesSarif()
    {
        Consumer consumer = packages.CreateConsumer("warns", "IommuRcu", ("Mistakes.cs", Mistakes));
        CommandResult build = consumer.Build("-p:ErrorLog=results.sarif%2Cversion=2.1");
        build.MustSucceed();
        Assert.Equal(_warnings, build.Findings());
        Assert.Contains("analyzers/docs/IRCU001.md", build.Output, StringComparison.Ordinal);

        using JsonDocument sarif = JsonDocument.Parse(consumer.Read("results.sarif"));
        Assert.Equal("2.1.0", sarif.RootElement.GetProperty("version").GetString());
        JsonElement run = sarif.RootElement.GetProperty("runs")[0];
        Assert.Equal(
            ["IRCU001", "IRCU020", "IRCU030", "IRCU040"],
            run.GetProperty("results").EnumerateArray().Select(result => result.GetProperty("ruleId").GetString()!)
                .Where(id => id.StartsWith("IRCU", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.All(
            run.GetProperty("tool").GetProperty("driver").GetProperty("rules").EnumerateArray()
                .Where(rule => rule.GetProperty("id").GetString()!.StartsWith("IRCU", StringComparison.Ordinal)),
            rule => Assert.EndsWith(
                rule.GetProperty("id").GetString() + ".md", rule.GetProperty("helpUri").GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Build_OfSeveralFrameworks_WritesTheSarifFilesThatTheReadmeSays()
    {
        Consumer consumer = packages.CreateConsumerFor("net8.0;net10.0", "several", "IommuRcu", ("Mistakes.cs", Mistakes));
        string readme = File.ReadAllText(Path.Combine(PackageFixture.Repository, "README.md"));
        string targets = System.Text.RegularExpressions.Regex.Match(
            readme, @"```xml\n(<Project>\s*<PropertyGroup>\s*<ErrorLog>.*?</Project>)\n```", System.Text.RegularExpressions.RegexOptions.Singleline).Groups[1].Value;
        consumer.Write("Directory.Build.targets", targets);
        CommandResult build = consumer.Build();
        build.MustSucceed();
        Assert.Equal(_warnings, build.Findings());
        foreach (string framework in (string[])["net8.0", "net10.0"])
        {
            using JsonDocument sarif = JsonDocument.Parse(consumer.Read($"Consumer.{framework}.sarif"));
            Assert.Equal("2.1.0", sarif.RootElement.GetProperty("version").GetString());
            Assert.Equal(
                ["IRCU001", "IRCU020", "IRCU030", "IRCU040"],
                sarif.RootElement.GetProperty("runs")[0].GetProperty("results").EnumerateArray()
                    .Select(result => result.GetProperty("ruleId").GetString()!)
                    .Where(id => id.StartsWith("IRCU", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void Build_FailsWhereWarningsAreErrors_AndObeysEditorConfig()
    {
        Consumer consumer = packages.CreateConsumer("fails", "IommuRcu", ("Mistakes.cs", Mistakes));
        CommandResult build = consumer.Build("-warnaserror");
        Assert.NotEqual(0, build.ExitCode);
        Assert.Equal(_warnings.Select(each => each.Replace("warning", "error", StringComparison.Ordinal)), build.Findings());

        consumer.Write(
            ".editorconfig",
            """
            root = true
            [*.cs]
            dotnet_diagnostic.IRCU001.severity = error
            dotnet_diagnostic.IRCU020.severity = none
            dotnet_diagnostic.IRCU030.severity = silent
            """);
        build = consumer.Build();
        Assert.NotEqual(0, build.ExitCode);
        Assert.Equal(["Mistakes.cs(15): error IRCU001", "Mistakes.cs(26): warning IRCU040"], build.Findings());
    }

    [Fact]
    public void Preset_IsChosenByProperty()
    {
        Consumer consumer = packages.CreateConsumer("presets", "IommuRcu", ("Mistakes.cs", Mistakes));
        CommandResult none = consumer.Build("-p:IommuRcuRules=None");
        none.MustSucceed();
        Assert.Empty(none.Findings());
        CommandResult strict = consumer.Build("--no-restore", "-p:IommuRcuRules=Strict");
        Assert.NotEqual(0, strict.ExitCode);
        Assert.Contains("Mistakes.cs(15): error IRCU001", strict.Findings());
    }

    [Fact]
    public void Format_FixesInOneGo()
    {
        Consumer consumer = packages.CreateConsumer("formatted", "IommuRcu", ("Mistakes.cs", Mistakes));
        consumer.Run("restore", "-v", "q").MustSucceed();
        consumer.Run("format", "analyzers", "--no-restore", "--severity", "warn").MustSucceed();
        CommandResult build = consumer.Build("--no-restore");
        build.MustSucceed();

        Assert.Empty(build.Findings());
    }

    [Fact]
    public void AnalyzersAlone_ReadCopiedAttributes_AndLoadOnce()
    {
        Consumer consumer = packages.CreateConsumer(
            "alone",
            "IommuRcu.Analyzers",
            ("Epochs.cs",
            """
            using System;
            using IommuRcu.Annotations;

            public class Epoch
            {
                [AcquiresReadLock] public void Resume() { }
                [ReleasesReadLock] public void Suspend() { }
                [RequiresReadLock] public int Look() => 0;
            }

            public static class Reader
            {
                public static int Read(Epoch epoch) => epoch.Look();

                public static int Right(Epoch epoch)
                {
                    epoch.Resume();
                    try { return epoch.Look(); } finally { epoch.Suspend(); }
                }
            }

            namespace IommuRcu.Annotations
            {
                internal sealed class AcquiresReadLockAttribute : Attribute;
                internal sealed class ReleasesReadLockAttribute : Attribute;
                internal sealed class RequiresReadLockAttribute : Attribute;
            }
            """));
        CommandResult build = consumer.Build();
        build.MustSucceed();
        Assert.Equal(["Epochs.cs(13): warning IRCU001"], build.Findings());

        // The SDK takes one folder of the package: a second copy would be loaded beside the first.
        CommandResult items = consumer.Run("build", "--no-restore", "-getItem:Analyzer", "-t:ResolveLockFileAnalyzers");
        items.MustSucceed();
        using JsonDocument json = JsonDocument.Parse(items.Output[items.Output.IndexOf('{', StringComparison.Ordinal)..]);
        Assert.Equal(
            ["roslyn4.14/cs/IommuRcu.Analyzers.CodeFixes.dll", "roslyn4.14/cs/IommuRcu.Analyzers.dll"],
            json.RootElement.GetProperty("Items").GetProperty("Analyzer").EnumerateArray()
                .Select(item => item.GetProperty("Identity").GetString()!.Replace('\\', '/'))
                .Where(path => path.Contains("IommuRcu", StringComparison.Ordinal))
                .Select(path => path[path.IndexOf("roslyn", StringComparison.Ordinal)..])
                .Order(StringComparer.Ordinal));
    }

    [Fact]
    public void AnalyzersAlone_ReadContractFilesOfTheProject()
    {
        Consumer consumer = packages.CreateConsumer(
            "contracts",
            "IommuRcu.Analyzers",
            ("Epochs.cs",
            """
            public class Epoch
            {
                public void Resume() { }
                public void Suspend() { }
                public int Look() => 0;
            }

            public static class Reader
            {
                public static int Read(Epoch epoch) => epoch.Look();

                public static int Right(Epoch epoch)
                {
                    epoch.Resume();
                    try { return epoch.Look(); } finally { epoch.Suspend(); }
                }
            }
            """),
            ("contracts/vendor.rcucontracts",
            """
            # The epochs of a vendor.
            acquires-read-lock M:Epoch.Resume
            releases-read-lock M:Epoch.Suspend
            requires-read-lock M:Epoch.Look
            """));
        CommandResult build = consumer.Build();
        build.MustSucceed();
        Assert.Equal(["Epochs.cs(10): warning IRCU001"], build.Findings());
    }
}
