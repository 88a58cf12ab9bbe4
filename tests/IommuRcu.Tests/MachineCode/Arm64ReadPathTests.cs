// The read side in machine code for ARM64, compiled ahead of time on another machine: load-acquire, store-release, no fence.
using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.MachineCode;

/// <summary>The same look at the code that would run on ARM64, compiled ahead of time.</summary>
public sealed class Arm64ReadPathTests
{
    /// <summary>The compiler, where the project could have it restored: on x64 Linux.</summary>
    internal static string? Crossgen => typeof(Arm64ReadPathTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .FirstOrDefault(attribute => attribute.Key == "Crossgen")?.Value;

    [Arm64CompilerFact]
    public void ReadSideForArm64_IsLoadAcquireAndStoreReleaseWithoutFence()
    {
        string folder = Directory.CreateTempSubdirectory("iommurcu-arm64-").FullName;
        try
        {
            string listing = Path.Combine(folder, "listing.txt");
            string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
            var start = new ProcessStartInfo(
                Crossgen!,
                [
                    typeof(Rcu).Assembly.Location, "-o", Path.Combine(folder, "out.dll"), "-r", Path.Combine(runtime, "*.dll"), "-O",
                    "--parallelism", "1", // one listing after the other
                    "--targetarch", "arm64", "--targetos", "linux", "--instruction-set", "lse", // else interlocked operations are calls
                    "--codegenopt", "JitStdOutFile=" + listing,
                    "--codegenopt", "JitDisasm=*",
                ]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using Process process = Process.Start(start)!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> error = process.StandardError.ReadToEndAsync();
            Assert.True(process.WaitForExit(TimeSpan.FromMinutes(3)), "the ARM64 compiler did not end");
            Assert.True(process.ExitCode == 0, output.Result + error.Result);

            List<CodeListing> methods = CodeListing.Parse(File.ReadAllText(listing));
            Assert.True(methods.Count(method => ReadPathTests.Forbidden(method).Any()) > 10, "so few methods lock or fence: the look does not find them");
            string[] names = ["Rcu:ReadLock(", "RcuReadScope:Dispose(", "ReaderSlot:Announce(", "ReaderSlot:EnterSlow(", "ReaderSlot:ExitSlow(", ":TryTranslate("];
            foreach (string name in names)
            {
                CodeListing[] found = [.. methods.Where(method => method.Header.Contains(name, StringComparison.Ordinal))];
                Assert.True(found.Length != 0, name);
                Assert.All(found, method => Assert.Empty(ReadPathTests.Forbidden(method)));
            }

            // Opening: the counter by load-acquire, the announcement by store-release. Closing: a store-release. In this order.
            string[] open = Ordered(methods, "IommuRcu.Rcu:ReadLock(");
            Assert.Equal(["ldar", "stlr"], open);
            Assert.Equal(["stlr"], Ordered(methods, "IommuRcu.RcuReadScope:Dispose("));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string[] Ordered(List<CodeListing> methods, string name) =>
        [.. methods.Single(method => method.Header.Contains(name, StringComparison.Ordinal)).Instructions
            .Select(instruction => instruction.Mnemonic)
            .Where(mnemonic => mnemonic is "ldar" or "ldapr" or "stlr")
            .Select(mnemonic => mnemonic == "ldapr" ? "ldar" : mnemonic)];

    /// <summary>Skipped, and said so, where the ARM64 compiler cannot be had.</summary>
    private sealed class Arm64CompilerFactAttribute : FactAttribute
    {
        public Arm64CompilerFactAttribute()
        {
            if (!File.Exists(Crossgen) || RuntimeInformation.ProcessArchitecture != Architecture.X64)
            {
                Skip = "the compiler for ARM64 (crossgen2, a package for x64 Linux) is not installed: ARM64 code is not checked";
            }
        }
    }
}
