// For each format: a domain with every page size, a device that writes through it, a driver that goes on mapping, and a dump of it all.
using IommuRcu.Emulation;
using IommuRcu.Memory;

namespace IommuRcu.Samples.PageTableDump;

internal static class Demonstration
{
    private static readonly (PageTableFormat Format, int AddressBits, int GranuleLog2)[] _formats =
    [
        (PageTableFormat.VtdSecondStage, 48, 12),
        (PageTableFormat.AmdV1, 48, 12),
        (PageTableFormat.X86FirstStage, 48, 12),
        (PageTableFormat.ArmStage1, 48, 12),
        (PageTableFormat.ArmStage1, 48, 14),
        (PageTableFormat.ArmStage2, 40, 16),
        (PageTableFormat.RiscVFirstStage, 48, 12),
        (PageTableFormat.RiscVSecondStage, 41, 12),
    ];

    /// <summary>The names of the formats that are shown, with their granules.</summary>
    public static IEnumerable<string> Names => _formats.Select(static f => NameOf(f.Format, f.GranuleLog2));

    /// <summary>Whether a name contains a filter, whatever their case and punctuation: <c>vtd</c> finds "VT-d second stage".</summary>
    public static bool Matches(string name, string filter) => Slug(name).Replace("-", string.Empty, StringComparison.Ordinal)
        .Contains(Slug(filter).Replace("-", string.Empty, StringComparison.Ordinal), StringComparison.Ordinal);

    public static void Run(TextWriter output, string? filter, bool json, bool tables, DirectoryInfo? svg)
    {
        svg?.Create();
        var documents = new List<object>();
        int number = 0;
        foreach ((PageTableFormat format, int addressBits, int granuleLog2) in _formats)
        {
            string name = NameOf(format, granuleLog2);
            if (!Matches(name, filter ?? string.Empty))
            {
                continue;
            }

            number++;
            using PhysicalMemory memory = PhysicalMemory.Allocate(256UL << 20);
            using var allocator = new PageAllocator(memory, new PageAllocatorOptions { Ranges = [PhysicalRange.OfSize(new PhysicalAddress(128UL << 20), 128UL << 20)] });
            using var iommu = new EmulatedIommu(memory);
            IommuDomain domain = IommuDomain.Create(format, new IommuDomainOptions
            {
                PageAllocator = allocator,
                AddressBits = addressBits,
                GranuleLog2 = granuleLog2,
                Invalidator = iommu,
            });
            try
            {
                Show(domain);
            }
            finally
            {
                iommu.Detach(1);
                domain.Dispose();
            }

            void Show(IommuDomain domain)
            {
                iommu.Attach(1, domain);
                Populate(domain, iommu);
                using var driver = new BusyDriver(domain);
                driver.WaitForFirstRound();
                if (json)
                {
                    documents.Add(JsonDump.Describe(domain, name, tables));
                }
                else
                {
                    output.WriteLine($"== {name}");
                    IommuRcu.PageTableDump.Write(output, domain, tables);
                    output.WriteLine($"(a driver mapped and unmapped {driver.Rounds} buffers meanwhile)");
                    output.WriteLine();
                }

                if (svg is not null)
                {
                    string path = Path.Combine(svg.FullName, $"{number}-{Slug(name)}.svg");
                    File.WriteAllText(path, SvgMap.Draw(domain, name));
                    if (!json)
                    {
                        output.WriteLine($"map written to {path}");
                    }
                }
            }
        }

        if (json)
        {
            output.WriteLine(JsonDump.Serialize(documents));
        }
    }

    private static string NameOf(PageTableFormat format, int granuleLog2) => $"{format.Name}, {1 << (granuleLog2 - 10)}K granule";

    // Something of every page size that fits below 64 GiB, holes between, and some of it written by the device.
    private static void Populate(IommuDomain domain, EmulatedIommu iommu)
    {
        const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;
        ulong granule = 1UL << domain.GranuleLog2;
        domain.Map(new Iova(0), new PhysicalAddress(0x10_0000), 24 * granule, ReadWrite);
        domain.Map(new Iova(64 * granule), new PhysicalAddress(0x40_0000), 8 * granule, IommuAccess.Read);
        ulong at = 1UL << 30;
        for (int sizeLog2 = domain.GranuleLog2 + 1; sizeLog2 <= 32; sizeLog2++)
        {
            ulong size = 1UL << sizeLog2;
            if ((domain.PageSizes & size) != 0)
            {
                at = (at + size - 1) & ~(size - 1);
                domain.Map(new Iova(at), new PhysicalAddress(0), size, sizeLog2 % 2 == 0 ? ReadWrite : IommuAccess.Read);
                at += 2 * size;
            }
        }

        for (ulong i = 0; i < 24; i += 3)
        {
            iommu.DmaWrite(1, new Iova(i * granule), [1, 2, 3, 4]);
        }
    }

    private static string Slug(string name) => new([.. name.ToLowerInvariant().Select(c => char.IsLetterOrDigit(c) ? c : '-')]);
}
