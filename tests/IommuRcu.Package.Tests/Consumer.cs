// A project of a user: one package reference, some sources, and the commands a user runs on it.
namespace IommuRcu.Package.Tests;

internal sealed class Consumer
{
    private readonly PackageFixture _packages;

    internal Consumer(PackageFixture packages, string name, string frameworks, string package, (string File, string Text)[] files)
    {
        _packages = packages;
        string element = frameworks.Contains(';', StringComparison.Ordinal) ? "TargetFrameworks" : "TargetFramework";
        Directory = System.IO.Directory.CreateDirectory(Path.Combine(packages.Root, name)).FullName;
        Write(
            "Consumer.csproj",
            $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <{element}>{frameworks}</{element}>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <AllowUnsafeBlocks>true</AllowUnsafeBlocks>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="{package}" Version="{PackageFixture.Version}" />
              </ItemGroup>
            </Project>
            """);
        Write(
            "nuget.config",
            $"""
            <configuration>
              <packageSources>
                <add key="local" value="{packages.Feed}" />
              </packageSources>
            </configuration>
            """);

        // Nothing of the folders above may configure the consumer.
        Write("global.json", "{}");
        Write("Directory.Build.props", "<Project />");
        Write("Directory.Build.targets", "<Project />");
        Write("Directory.Packages.props", "<Project />");
        Write(".editorconfig", "root = true\n");
        foreach ((string file, string text) in files)
        {
            Write(file, text);
        }
    }

    internal string Directory { get; }

    internal void Write(string file, string text)
    {
        string path = Path.Combine(Directory, file);
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    internal string Read(string file) => File.ReadAllText(Path.Combine(Directory, file));

    internal CommandResult Run(params string[] arguments) => DotNet.Run(Directory, _packages.Cache, arguments);

    /// <summary>Runs what was built, by its path below the project.</summary>
    internal CommandResult RunProgram(string program) => DotNet.RunProgram(Path.Combine(Directory, program), Directory, null);

    /// <summary>Builds anew: an up-to-date project would print nothing.</summary>
    internal CommandResult Build(params string[] arguments) => Run(["build", "--no-incremental", "-v", "q", .. arguments]);
}
