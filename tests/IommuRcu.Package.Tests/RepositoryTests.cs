// The ground that all projects stand on.
using System.Text.RegularExpressions;

namespace IommuRcu.Package.Tests;

public class RepositoryTests
{
    [Fact]
    public void EveryCentralPackageVersion_IsUsed()
    {
        string versions = File.ReadAllText(Path.Combine(PackageFixture.Repository, "Directory.Packages.props"));
        string projects = string.Concat(
            new[] { "src", "analyzers", "samples", "tests" }
                .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(PackageFixture.Repository, folder), "*.csproj", SearchOption.AllDirectories))
                .Select(File.ReadAllText));
        Assert.All(
            Regex.Matches(versions, "<PackageVersion Include=\"(?<id>[^\"]+)\"").Select(match => match.Groups["id"].Value),
            id => Assert.Contains($"<PackageReference Include=\"{id}\"", projects, StringComparison.Ordinal));
    }

    [Fact]
    public void EveryProject_IsInTheSolution()
    {
        string solution = File.ReadAllText(Path.Combine(PackageFixture.Repository, "IommuRcu.sln")).Replace('\\', '/');
        Assert.All(
            new[] { "src", "analyzers", "samples", "tests" }
                .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(PackageFixture.Repository, folder), "*.csproj", SearchOption.AllDirectories))
                .Select(file => Path.GetRelativePath(PackageFixture.Repository, file).Replace('\\', '/')),
            project => Assert.Contains($"\"{project}\"", solution, StringComparison.Ordinal));
    }
}
