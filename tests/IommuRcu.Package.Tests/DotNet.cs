// Runs the dotnet command as a person would, with no build server left behind and a bound on its time.
using System.Diagnostics;
using System.Text;

namespace IommuRcu.Package.Tests;

/// <param name="ExitCode">What it ended with.</param>
/// <param name="Output">The command, and what it printed on both streams.</param>
/// <param name="StandardOutput">What it printed for other programs to read.</param>
internal sealed record CommandResult(int ExitCode, string Output, string StandardOutput)
{
    internal void MustSucceed() => Assert.True(ExitCode == 0, Output);

    /// <summary>Gets the distinct diagnostics of a build, as <c>file(line): severity ID</c>.</summary>
    internal string[] Findings() =>
    [
        .. System.Text.RegularExpressions.Regex
            .Matches(Output, @"(?<file>[^/\\\s]+)\((?<line>\d+),\d+\): (?<severity>warning|error) (?<id>IRCU\d+|AD\d+|CS\d+)")
            .Select(match => $"{match.Groups["file"]}({match.Groups["line"]}): {match.Groups["severity"]} {match.Groups["id"]}")
            .Distinct()
            .Order(StringComparer.Ordinal),
    ];
}

internal static class DotNet
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(8);

    private static readonly HashSet<string> _ofTheMachine = new(StringComparer.OrdinalIgnoreCase)
    {
        "PATH", "HOME", "TMPDIR", "TMP", "TEMP", "DOTNET_CLI_HOME", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT",
        "USERPROFILE", "APPDATA", "LOCALAPPDATA", "ProgramData", "SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT",
    };

    internal static CommandResult Run(string directory, string? packageCache, params string[] arguments) =>
        RunProgram("dotnet", directory, packageCache, arguments);

    internal static CommandResult RunProgram(string program, string directory, string? packageCache, params string[] arguments)
    {
        var start = new ProcessStartInfo(program)
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (string argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        // Every variable is a property to MSBuild: only what a shell on a new machine has gets through.
        foreach (string name in start.Environment.Keys.Where(name => !IsOfTheMachine(name)).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        start.Environment["UseSharedCompilation"] = "false";
        start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["DOTNET_NOLOGO"] = "1";
        start.Environment["MSBUILDTERMINALLOGGER"] = "off";
        start.Environment["DOTNET_CLI_UI_LANGUAGE"] = "en";
        if (packageCache is not null)
        {
            start.Environment["NUGET_PACKAGES"] = packageCache;
        }

        var output = new StringBuilder();
        var standardOutput = new StringBuilder();
        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Append(line.Data, standardOutput);
        process.ErrorDataReceived += (_, line) => Append(line.Data, null);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(_limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{program} {string.Join(' ', arguments)} did not end in {_limit}.\n{output}");
        }

        process.WaitForExit();
        return new CommandResult(process.ExitCode, $"{program} {string.Join(' ', arguments)}\n{output}", standardOutput.ToString());

        void Append(string? line, StringBuilder? also)
        {
            // The end of a stream is a null.
            if (line is not null)
            {
                lock (output)
                {
                    output.AppendLine(line);
                    also?.AppendLine(line);
                }
            }
        }
    }

    private static bool IsOfTheMachine(string name) =>
        _ofTheMachine.Contains(name)
        || name.StartsWith("DOTNET_ROOT", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("NUGET_", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("SSL_CERT_", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("ProgramFiles", StringComparison.OrdinalIgnoreCase)
        || name.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase);
}
