// The runtime in programs that are trimmed or compiled ahead of time: no warning of either, and they run.
using System.Runtime.InteropServices;

namespace IommuRcu.Package.Tests;

[Collection(nameof(PackageCollection))]
public class PublishTests(PackageFixture packages)
{
    // Touches what could need reflection: formats chosen by value and by type, callbacks of both kinds, the meter, the event source.
    private const string Program =
        """
        using IommuRcu;
        using IommuRcu.Emulation;
        using IommuRcu.Memory;

        using PhysicalMemory memory = PhysicalMemory.Allocate(64UL << 20);
        using var pages = new PageAllocator(memory, new() { Ranges = [PhysicalRange.OfSize(default, 32UL << 20)] });
        using var iommu = new EmulatedIommu(memory);
        foreach (PageTableFormat format in new[] { PageTableFormat.VtdSecondStage, PageTableFormat.AmdV1, PageTableFormat.ArmStage1, PageTableFormat.RiscVSecondStage })
        {
            IommuDomain domain = IommuDomain.Create(format, new() { PageAllocator = pages, Invalidator = iommu, AddressBits = format == PageTableFormat.RiscVSecondStage ? 41 : 48 });
            EmulatedDevice device = iommu.Attach(3, domain);
            domain.Map(new Iova(0x1000_0000), new PhysicalAddress(32UL << 20), 0x10000, IommuAccess.Read | IommuAccess.Write);
            if (!device.DmaWrite(new Iova(0x1000_0010), "hello"u8) || !domain.TryTranslate(new Iova(0x1000_0010), out Translation translation))
            {
                return 1;
            }

            Console.WriteLine($"{format.Name}: {translation.Address}");
            domain.Unmap(new Iova(0x1000_0000), 0x10000);
            iommu.Detach(3);
            domain.Dispose();
        }

        int ran = 0;
        Rcu.Call(new int[1], _ => Interlocked.Increment(ref ran));
        Rcu.Barrier();
        Console.WriteLine($"{ran} callback, {pages.LivePages} pages");
        return ran == 1 && pages.LivePages == 0 ? 0 : 1;
        """;

    [Fact]
    public void TrimmedProgram_HasNoWarnings_AndRuns()
        => PublishAndRun("net10.0", "trimmed", "<PublishTrimmed>true</PublishTrimmed><SelfContained>true</SelfContained>");

    [NativeToolsFact]
    public void NativeProgram_OfTheOldestFramework_HasNoWarnings_AndRuns()
        => PublishAndRun("net8.0", "native", "<PublishAot>true</PublishAot>");

    private void PublishAndRun(string framework, string name, string properties)
    {
        Consumer consumer = packages.CreateConsumerFor(framework, name, "IommuRcu", ("Program.cs", Program));
        consumer.Write(
            "Directory.Build.props",
            $"""
            <Project>
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <RuntimeIdentifier>{RuntimeInformation.RuntimeIdentifier}</RuntimeIdentifier>
                <TrimmerSingleWarn>false</TrimmerSingleWarn>
                <InvariantGlobalization>true</InvariantGlobalization>
                {properties}
              </PropertyGroup>
            </Project>
            """);
        consumer.Run("publish", "-c", "Release", "-o", "out", "-v", "q", "-warnaserror").MustSucceed();
        CommandResult run = consumer.RunProgram(Path.Combine("out", "Consumer"));
        run.MustSucceed();
        Assert.Contains("1 callback, 0 pages", run.Output, StringComparison.Ordinal);
    }
}
