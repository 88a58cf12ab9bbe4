// The dump as JSON.
using System.Text.Json;

namespace IommuRcu.Samples.PageTableDump;

internal static class JsonDump
{
    private static readonly JsonSerializerOptions _options = new() { WriteIndented = true };

    public static object Describe(IommuDomain domain, string name, bool tables)
    {
        PageTableRoot root = domain.Root;
        return new
        {
            format = name,
            addressBits = domain.AddressBits,
            granule = 1UL << domain.GranuleLog2,
            root = Hex(root.Address.Value),
            levels = root.Levels,
            runs = IommuRcu.PageTableDump.Runs(domain).Select(run => new
            {
                first = Hex(run.First.Value),
                last = Hex(run.Last.Value),
                physical = Hex(run.Address.Value),
                pageSize = run.PageSize,
                pages = run.Pages,
                access = run.Access.ToString(),
                dirty = run.DirtyPages,
                accessed = run.AccessedPages,
            }).ToArray(),
            tables = !tables ? null : IommuRcu.PageTableDump.Tables(domain).Select(table => new
            {
                address = Hex(table.Address.Value),
                level = table.Level,
                first = Hex(table.First.Value),
                entries = table.Entries.Select(entry => new
                {
                    index = entry.Index,
                    raw = Hex(entry.Raw),
                    table = entry.IsTable,
                    target = Hex(entry.Target.Value),
                }).ToArray(),
            }).ToArray(),
        };
    }

    public static string Serialize(IReadOnlyList<object> documents) => JsonSerializer.Serialize(documents, _options);

    private static string Hex(ulong value) => $"0x{value:x}";
}
