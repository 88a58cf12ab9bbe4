// What is inside the packages, file by file, and what they say of themselves.
using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace IommuRcu.Package.Tests;

[Collection(nameof(PackageCollection))]
public class PackageContentTests(PackageFixture packages)
{
    [Fact]
    public void RuntimePackage_HoldsExactlyItsAssembliesAndDocumentation() => AssertFiles(
        "IommuRcu",
        "README.md",
        "lib/net10.0/IommuRcu.dll",
        "lib/net10.0/IommuRcu.xml",
        "lib/net8.0/IommuRcu.dll",
        "lib/net8.0/IommuRcu.xml");

    [Fact]
    public void AnalyzerPackage_HoldsAnalyzersForEachCompilerAndFixesForTheNewer() => AssertFiles(
        "IommuRcu.Analyzers",
        "README.md",
        "analyzers/dotnet/roslyn4.14/cs/IommuRcu.Analyzers.CodeFixes.dll",
        "analyzers/dotnet/roslyn4.14/cs/IommuRcu.Analyzers.dll",
        "analyzers/dotnet/roslyn4.8/cs/IommuRcu.Analyzers.dll",
        "buildTransitive/IommuRcu.Analyzers.targets",
        "config/IommuRcu.Default.globalconfig",
        "config/IommuRcu.None.globalconfig",
        "config/IommuRcu.Strict.globalconfig");

    [Fact]
    public void RuntimePackage_DependsOnTheAnalyzersWithAllTheirAssets()
    {
        XElement metadata = Nuspec("IommuRcu");
        List<XElement> groups = [.. metadata.Descendants().Where(element => element.Name.LocalName == "group")];
        Assert.Equal(
            ["net10.0", "net8.0"], groups.Select(group => (string)group.Attribute("targetFramework")!).Order(StringComparer.Ordinal));
        foreach (XElement group in groups)
        {
            XElement dependency = Assert.Single(group.Elements());
            Assert.Equal("IommuRcu.Analyzers", (string?)dependency.Attribute("id"));
            Assert.Equal(PackageFixture.Version, (string?)dependency.Attribute("version"));
            Assert.Equal("All", (string?)dependency.Attribute("include"));
            Assert.Null(dependency.Attribute("exclude"));
        }
    }

    [Fact]
    public void AnalyzerPackage_IsADevelopmentDependencyWithoutDependencies()
    {
        XElement metadata = Nuspec("IommuRcu.Analyzers");
        Assert.Equal("true", Value(metadata, "developmentDependency"));
        Assert.DoesNotContain(metadata.Descendants(), element => element.Name.LocalName == "dependency");
    }

    [Theory]
    [InlineData("IommuRcu")]
    [InlineData("IommuRcu.Analyzers")]
    public void Package_SaysWhatItIs(string id)
    {
        XElement metadata = Nuspec(id);
        Assert.Equal(id, Value(metadata, "id"));
        Assert.Equal(PackageFixture.Version, Value(metadata, "version"));
        Assert.Equal("MIT", Value(metadata, "license"));
        Assert.Equal("README.md", Value(metadata, "readme"));
        Assert.Equal("expression", (string?)metadata.Elements().Single(element => element.Name.LocalName == "license").Attribute("type"));
        Assert.NotEmpty(Value(metadata, "authors")!);
        Assert.Contains("rcu", Value(metadata, "tags")!.Split(' '));
        Assert.True(Value(metadata, "description")!.Length > 50);
    }

    [Fact]
    public void Analyzers_ReferenceOnlyTheOldestCompilerThatTheySupport()
    {
        Assert.Equal(
            new Version(4, 8, 0, 0), ReferenceOf("analyzers/dotnet/roslyn4.8/cs/IommuRcu.Analyzers.dll", "Microsoft.CodeAnalysis"));
        Assert.Equal(
            new Version(4, 8, 0, 0), ReferenceOf("analyzers/dotnet/roslyn4.14/cs/IommuRcu.Analyzers.dll", "Microsoft.CodeAnalysis"));
        Assert.Null(ReferenceOf("analyzers/dotnet/roslyn4.14/cs/IommuRcu.Analyzers.dll", "Microsoft.CodeAnalysis.Workspaces"));
        Assert.Equal(
            new Version(4, 14, 0, 0),
            ReferenceOf("analyzers/dotnet/roslyn4.14/cs/IommuRcu.Analyzers.CodeFixes.dll", "Microsoft.CodeAnalysis.Workspaces"));
    }

    [Theory]
    [InlineData("IommuRcu", "lib/net8.0/IommuRcu.dll")]
    [InlineData("IommuRcu", "lib/net10.0/IommuRcu.dll")]
    [InlineData("IommuRcu.Analyzers", "analyzers/dotnet/roslyn4.8/cs/IommuRcu.Analyzers.dll")]
    [InlineData("IommuRcu.Analyzers", "analyzers/dotnet/roslyn4.14/cs/IommuRcu.Analyzers.CodeFixes.dll")]
    public void Assembly_IsReproducibleAndCarriesSymbolsThatNameNoMachine(string id, string file)
    {
        using PEReader image = Image(id, file);
        var entries = image.ReadDebugDirectory().ToList();
        Assert.Contains(entries, entry => entry.Type == DebugDirectoryEntryType.Reproducible);
        DebugDirectoryEntry symbols = Assert.Single(entries, entry => entry.Type == DebugDirectoryEntryType.EmbeddedPortablePdb);
        using MetadataReaderProvider provider = image.ReadEmbeddedPortablePdbDebugDirectoryData(symbols);
        MetadataReader reader = provider.GetMetadataReader();
        Assert.All(
            reader.Documents.Select(document => reader.GetString(reader.GetDocument(document).Name)),
            name => Assert.StartsWith(PackageFixture.Configuration == "Release" ? "/_/" : PackageFixture.Repository, name, StringComparison.Ordinal));
    }

    private void AssertFiles(string id, params string[] expected)
    {
        using ZipArchive archive = packages.Open(id);
        IEnumerable<string> actual = archive.Entries.Select(entry => entry.FullName)
            .Where(name => !name.StartsWith("_rels/", StringComparison.Ordinal) && !name.StartsWith("package/", StringComparison.Ordinal))
            .Where(name => name != "[Content_Types].xml" && !name.EndsWith(".nuspec", StringComparison.Ordinal));
        Assert.Equal(expected.Order(StringComparer.Ordinal), actual.Order(StringComparer.Ordinal));
        Assert.All(archive.Entries, entry => Assert.True(entry.Length > 0, $"{entry.FullName} is empty."));
    }

    private XElement Nuspec(string id)
    {
        using ZipArchive archive = packages.Open(id);
        using Stream stream = archive.GetEntry($"{id}.nuspec")!.Open();
        return XDocument.Load(stream).Root!.Elements().First();
    }

    private static string? Value(XElement metadata, string name) =>
        metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;

    private PEReader Image(string id, string file)
    {
        using ZipArchive archive = packages.Open(id);
        var copy = new MemoryStream();
        using Stream stream = archive.GetEntry(file)!.Open();
        stream.CopyTo(copy);
        copy.Position = 0;
        return new PEReader(copy);
    }

    private Version? ReferenceOf(string file, string assembly)
    {
        using PEReader image = Image("IommuRcu.Analyzers", file);
        MetadataReader metadata = image.GetMetadataReader();
        return metadata.AssemblyReferences.Select(metadata.GetAssemblyReference)
            .Where(reference => metadata.GetString(reference.Name) == assembly)
            .Select(reference => reference.Version)
            .SingleOrDefault();
    }
}
