// Skips a theory, with the reason, only where the model checker is absent and its absence is allowed.
namespace IommuRcu.Tests.Models;

/// <summary>
/// A theory that needs <c>spin</c> and <c>gcc</c>. Where one is missing the theory is skipped and says so, unless
/// <c>IOMMURCU_REQUIRE_TOOLS</c> is set: then it runs, and fails for want of the tool.
/// </summary>
public sealed class SpinTheoryAttribute : TheoryAttribute
{
    public SpinTheoryAttribute()
    {
        bool required = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("IOMMURCU_REQUIRE_TOOLS"));
        if (!required && Missing("spin", "gcc") is { } tool)
        {
            Skip = tool + " is not installed";
        }
    }

    /// <summary>Names the first of the tools that is on no folder of PATH, or null.</summary>
    private static string? Missing(params ReadOnlySpan<string> tools)
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        foreach (string tool in tools)
        {
            if (!Array.Exists(folders, folder => folder.Length != 0 && File.Exists(Path.Combine(folder, tool))))
            {
                return tool;
            }
        }

        return null;
    }
}
