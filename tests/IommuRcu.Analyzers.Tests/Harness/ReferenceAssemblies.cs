// The framework a test compiles against. Here: the reference pack beside the running SDK, or the running runtime's own assemblies.
using System.Collections.Immutable;

namespace Microsoft.CodeAnalysis.Testing;

public sealed class ReferenceAssemblies(string targetFramework)
{
    private static readonly Lazy<ImmutableArray<MetadataReference>> _local = new(LoadLocal);

    public string TargetFramework { get; } = targetFramework;

    /// <summary>Gets whatever framework this machine has.</summary>
    public static ReferenceAssemblies Default { get; } = new("local");

    public Task<ImmutableArray<MetadataReference>> ResolveAsync(string? language, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_local.Value);
    }

    private static ImmutableArray<MetadataReference> LoadLocal()
    {
        // .../shared/Microsoft.NETCore.App/10.0.x/System.Private.CoreLib.dll -> .../packs/Microsoft.NETCore.App.Ref/10.0.x/ref/net10.0
        string runtime = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        string packs = Path.GetFullPath(Path.Combine(runtime, "..", "..", "..", "packs", "Microsoft.NETCore.App.Ref"));
        string? pack = Directory.Exists(packs)
            ? Directory.EnumerateDirectories(packs, "net*.0", SearchOption.AllDirectories).Order(StringComparer.Ordinal).LastOrDefault()
            : null;
        IEnumerable<string> files = pack is not null
            ? Directory.EnumerateFiles(pack, "*.dll")
            : Directory.EnumerateFiles(runtime, "*.dll").Where(IsManagedFramework);
        return [.. files.Order(StringComparer.Ordinal).Select(file => MetadataReference.CreateFromFile(file))];
    }

    private static bool IsManagedFramework(string file)
    {
        string name = Path.GetFileName(file);
        return name is "mscorlib.dll" or "netstandard.dll" or "Microsoft.CSharp.dll"
            || (name.StartsWith("System.", StringComparison.Ordinal) && !name.EndsWith(".Native.dll", StringComparison.Ordinal));
    }

    public static class Net
    {
        public static ReferenceAssemblies Net80 => Default;

        public static ReferenceAssemblies Net90 => Default;

        public static ReferenceAssemblies Net100 => Default;
    }
}
