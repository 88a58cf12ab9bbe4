// Packs both packages once into a local folder feed; everything of a run lives in one temporary folder that is removed.
using System.IO.Compression;
using System.Reflection;

namespace IommuRcu.Package.Tests;

public sealed class PackageFixture : IDisposable
{
    public PackageFixture()
    {
        Root = Directory.CreateTempSubdirectory("iommurcu-package-").FullName;
        Feed = Directory.CreateDirectory(Path.Combine(Root, "feed")).FullName;
        Cache = Path.Combine(Root, "cache");
        string[] projects = ["src/IommuRcu", "analyzers/IommuRcu.Analyzers.CodeFixes"];

        // The test project's own build has built them. The version is one that no other feed can have.
        Parallel.ForEach(projects, project => DotNet.Run(
            Path.Combine(Repository, project), null, "pack", "--no-build", "-c", Configuration, $"-p:PackageVersion={Version}", "-o", Feed, "-v", "q").MustSucceed());
    }

    public static string Repository => Metadata("RepositoryRoot");

    public static string Configuration => Metadata("Configuration");

    /// <summary>Gets the version that the packages of this run have.</summary>
    public static string Version => Metadata("Version") + "-test";

    public string Root { get; }

    public string Feed { get; }

    /// <summary>Gets the package cache of all consumers: empty in the beginning.</summary>
    public string Cache { get; }

    public ZipArchive Open(string id) => ZipFile.OpenRead(Path.Combine(Feed, $"{id}.{Version}.nupkg"));

    public void Dispose() => Directory.Delete(Root, recursive: true);

    /// <summary>Makes a project that references one of the packages, with the feed added to the machine's own sources.</summary>
    internal Consumer CreateConsumer(string name, string package, params (string File, string Text)[] files) =>
        new(this, name, "net10.0", package, files);

    /// <summary>The same for other target frameworks, separated by semicolons.</summary>
    internal Consumer CreateConsumerFor(string frameworks, string name, string package, params (string File, string Text)[] files) =>
        new(this, name, frameworks, package, files);

    private static string Metadata(string key) => typeof(PackageFixture).Assembly
        .GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(attribute => attribute.Key == key).Value!;
}

[CollectionDefinition(nameof(PackageCollection))]
public sealed class PackageCollection : ICollectionFixture<PackageFixture>;
