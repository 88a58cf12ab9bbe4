// Where QEMU's programs are, and which version each is.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace IommuRcu.Qemu;

/// <summary>The guest architectures whose QEMU programs are used.</summary>
public enum QemuArchitecture
{
    /// <summary>64-bit x86: Intel VT-d and AMD-Vi.</summary>
    X64,

    /// <summary>64-bit Arm: SMMUv3.</summary>
    Arm64,

    /// <summary>64-bit RISC-V: the RISC-V IOMMU.</summary>
    RiscV64,
}

/// <summary>
/// One QEMU program on this machine. Programs are looked for in the folder that the environment variable
/// <c>IOMMURCU_QEMU10</c> names (its <c>bin</c> folder) and on the search path.
/// </summary>
/// <param name="ProgramPath">The program's full path.</param>
/// <param name="Architecture">The guest architecture it emulates.</param>
/// <param name="Version">Its version, as it prints it.</param>
public sealed record QemuInstallation(string ProgramPath, QemuArchitecture Architecture, Version Version)
{
    private static readonly TimeSpan _versionTimeout = TimeSpan.FromSeconds(30);
    private static readonly ConcurrentDictionary<string, Version?> _versions = new();

    /// <summary>Name of the environment variable that names a folder whose <c>bin</c> holds a QEMU 10 or later.</summary>
    public const string FolderVariable = "IOMMURCU_QEMU10";

    /// <summary>Where the installation script unpacks QEMU 10: looked at when the variable is not set.</summary>
    public const string DefaultFolder = "/opt/iommurcu-qemu10";

    /// <summary>Lists every program found for an architecture, oldest version first. Safe from any thread.</summary>
    /// <param name="architecture">The guest architecture.</param>
    /// <returns>The programs; empty where none is installed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The architecture is none of the listed ones.</exception>
    public static IReadOnlyList<QemuInstallation> FindAll(QemuArchitecture architecture)
    {
        string name = architecture switch
        {
            QemuArchitecture.X64 => "qemu-system-x86_64",
            QemuArchitecture.Arm64 => "qemu-system-aarch64",
            QemuArchitecture.RiscV64 => "qemu-system-riscv64",
            _ => throw new ArgumentOutOfRangeException(nameof(architecture), architecture, "No such architecture."),
        };
        string? folder = Environment.GetEnvironmentVariable(FolderVariable);
        var folders = new List<string> { Path.Combine(string.IsNullOrEmpty(folder) ? DefaultFolder : folder, "bin") };
        folders.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries));
        var found = new List<QemuInstallation>();
        foreach (string path in folders.Select(f => Path.Combine(f, name)).Distinct().Where(File.Exists))
        {
            if (_versions.GetOrAdd(path, AskVersion) is { } version && !found.Exists(q => q.Version == version))
            {
                found.Add(new QemuInstallation(path, architecture, version));
            }
        }
        return [.. found.OrderBy(q => q.Version)];
    }

    /// <summary>Finds the oldest program of an architecture that is not older, and is older than a limit where one is given.</summary>
    /// <param name="architecture">The guest architecture.</param>
    /// <param name="minimum">The oldest version that will do.</param>
    /// <param name="below">The first version that is too new, or null.</param>
    /// <returns>The program, or null where there is none.</returns>
    public static QemuInstallation? Find(QemuArchitecture architecture, Version minimum, Version? below = null)
    {
        ArgumentNullException.ThrowIfNull(minimum);
        return FindAll(architecture).FirstOrDefault(q => q.Version >= minimum && (below is null || q.Version < below));
    }

    // "QEMU emulator version 7.2.22 (Debian ...)": null where the program does not start or says something else.
    private static Version? AskVersion(string path)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(path, "--version")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            Task<string> errors = process.StandardError.ReadToEndAsync();
            if (!process.WaitForExit(_versionTimeout))
            {
                process.Kill(entireProcessTree: true);
                return null;
            }
            string[] words = output.GetAwaiter().GetResult().Split([' ', '\n', '('], StringSplitOptions.RemoveEmptyEntries);
            _ = errors.GetAwaiter().GetResult();
            int at = Array.IndexOf(words, "version");
            return at >= 0 && at + 1 < words.Length && Version.TryParse(words[at + 1], out Version? version) ? version : null;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            return null;
        }
    }

    /// <summary>Returns the version and the program's path.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"QEMU {Version} ({ProgramPath})");
}
