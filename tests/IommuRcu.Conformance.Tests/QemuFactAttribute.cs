// Tests that need a QEMU program: skipped with the reason where it is absent, failed where tools are required.
using IommuRcu.Qemu;

namespace IommuRcu.Conformance.Tests;

/// <summary>Which QEMU versions a test needs.</summary>
public enum QemuNeed
{
    /// <summary>Any version from 7.2 on: the oldest that is installed is taken.</summary>
    Any,

    /// <summary>Version 10 or later.</summary>
    Version10,
}

/// <summary>Finds the program that a test needs.</summary>
internal static class QemuTools
{
    /// <summary>With this set to 1, a missing tool is a failure and not a skip.</summary>
    public const string RequireVariable = "IOMMURCU_REQUIRE_TOOLS";

    public static bool Required => Environment.GetEnvironmentVariable(RequireVariable) == "1";

    public static QemuInstallation? Find(QemuArchitecture architecture, QemuNeed need) =>
        QemuInstallation.Find(architecture, need == QemuNeed.Any ? new Version(7, 2) : new Version(10, 0));

    public static string? ReasonToSkip(QemuArchitecture architecture, QemuNeed need) =>
        Required || Find(architecture, need) is not null ? null : Missing(architecture, need);

    public static QemuInstallation Get(QemuArchitecture architecture, QemuNeed need) =>
        Find(architecture, need) ?? throw new InvalidOperationException(Missing(architecture, need));

    private static string Missing(QemuArchitecture architecture, QemuNeed need) =>
        $"QEMU {(need == QemuNeed.Any ? "7.2" : "10")} or later for {architecture} is not installed: .ci/install-qemu installs it.";
}

/// <summary>A fact that needs a QEMU program.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class QemuFactAttribute : FactAttribute
{
    public QemuFactAttribute(QemuArchitecture architecture, QemuNeed need = QemuNeed.Any) =>
        Skip = QemuTools.ReasonToSkip(architecture, need);
}

/// <summary>A theory that needs a QEMU program.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class QemuTheoryAttribute : TheoryAttribute
{
    public QemuTheoryAttribute(QemuArchitecture architecture, QemuNeed need = QemuNeed.Any) =>
        Skip = QemuTools.ReasonToSkip(architecture, need);
}
