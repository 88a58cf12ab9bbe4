// Skips a test, with the reason, only where no C compiler can link what is compiled ahead of time, and that is allowed.
namespace IommuRcu.Package.Tests;

/// <summary>
/// A fact that needs <c>clang</c> or <c>gcc</c> to link with. Where both are missing it is skipped and says so, unless
/// <c>IOMMURCU_REQUIRE_TOOLS</c> is set: then it runs, and fails for want of the tool.
/// </summary>
public sealed class NativeToolsFactAttribute : FactAttribute
{
    public NativeToolsFactAttribute()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        bool present = folders.Any(folder => File.Exists(Path.Combine(folder, "clang")) || File.Exists(Path.Combine(folder, "gcc")));
        if (!present && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("IOMMURCU_REQUIRE_TOOLS")))
        {
            Skip = "neither clang nor gcc is installed";
        }
    }
}
