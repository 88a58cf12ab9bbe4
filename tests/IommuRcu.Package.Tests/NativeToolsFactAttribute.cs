// Skips a test, with the reason, only where nothing can link what is compiled ahead of time, and that is allowed.
namespace IommuRcu.Package.Tests;

/// <summary>
/// A fact that needs <c>clang</c> or <c>gcc</c>, and zlib's development files, to link with. Where they are missing it is skipped and says so, unless
/// <c>IOMMURCU_REQUIRE_TOOLS</c> is set: then it runs, and fails for want of the tool.
/// </summary>
public sealed class NativeToolsFactAttribute : FactAttribute
{
    public NativeToolsFactAttribute()
    {
        string[] folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        bool linker = folders.Any(folder => File.Exists(Path.Combine(folder, "clang")) || File.Exists(Path.Combine(folder, "gcc")));
        if (!(linker && File.Exists("/usr/include/zlib.h")) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("IOMMURCU_REQUIRE_TOOLS")))
        {
            Skip = "neither clang nor gcc with zlib is installed";
        }
    }
}
