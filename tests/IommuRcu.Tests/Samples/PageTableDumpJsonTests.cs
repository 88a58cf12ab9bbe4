// The JSON of the sample that dumps page tables: everything is in it, as text that any reader parses.
using System.Text.Json;
using IommuRcu.Samples.PageTableDump;
using IommuRcu.Tests.Domains;

namespace IommuRcu.Tests.Samples;

public sealed class PageTableDumpJsonTests
{
    [Fact]
    public void Json_HoldsRunsAndTablesWithRawEntries()
    {
        using var fixture = new DomainFixture(configure: o => o with { AddressBits = 39 });
        fixture.Domain.Map(new Iova(0x4000_5000), new PhysicalAddress(0x7000), 0x2000, IommuAccess.Read | IommuAccess.Cacheable);
        using JsonDocument json = JsonDocument.Parse(JsonDump.Serialize([JsonDump.Describe(fixture.Domain, "vtd", tables: true)]));
        JsonElement domain = json.RootElement[0];
        Assert.Equal("vtd", domain.GetProperty("format").GetString());
        Assert.Equal(39, domain.GetProperty("addressBits").GetInt32());
        Assert.Equal(fixture.Domain.Root.Address.ToString(), domain.GetProperty("root").GetString());
        JsonElement run = Assert.Single(domain.GetProperty("runs").EnumerateArray());
        Assert.Equal(
            ("0x40005000", "0x40006fff", "0x7000", 4096, 2, "Read, Cacheable"),
            (Text(run, "first"), Text(run, "last"), Text(run, "physical"), run.GetProperty("pageSize").GetInt32(), run.GetProperty("pages").GetInt32(), Text(run, "access")));
        JsonElement[] tables = [.. domain.GetProperty("tables").EnumerateArray()];
        Assert.Equal([2, 1, 0], tables.Select(t => t.GetProperty("level").GetInt32()));
        Assert.Equal(["0x7801", "0x8801"], tables[2].GetProperty("entries").EnumerateArray().Select(e => Text(e, "raw")));
        Assert.True(tables[0].GetProperty("entries")[0].GetProperty("table").GetBoolean());
    }

    [Fact]
    public void JsonWithoutTables_HasNone()
    {
        using var fixture = new DomainFixture();
        using JsonDocument json = JsonDocument.Parse(JsonDump.Serialize([JsonDump.Describe(fixture.Domain, "vtd", tables: false)]));
        Assert.Equal(JsonValueKind.Null, json.RootElement[0].GetProperty("tables").ValueKind);
        Assert.Empty(json.RootElement[0].GetProperty("runs").EnumerateArray());
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
