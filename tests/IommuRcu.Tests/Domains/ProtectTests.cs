// Protect on formats whose entries must not change everything while they are valid: permissions may, memory types may not.
using static IommuRcu.Tests.Domains.DomainFixture;

namespace IommuRcu.Tests.Domains;

public class ProtectTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    public static TheoryData<string, bool> ArmFormats
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (FormatCase format in AllFormats.All.Where(f => f.Name.StartsWith("arm", StringComparison.Ordinal)))
            {
                data.Add(format.Name, false);
                data.Add(format.Name, true);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(ArmFormats))]
    public void MemoryTypeOfAMappedPage_IsNotChanged(string format, bool replacesWithoutBreak)
    {
        // Not even by hardware that takes another page size in place: that is a promise about sizes alone.
        using DomainFixture fixture = AllFormats.Open(format, o => o with { ReplacesWithoutBreak = replacesWithoutBreak });
        ulong granule = 1UL << fixture.Domain.GranuleLog2;
        fixture.Domain.Map(Iova(0), Pa(granule), granule, ReadWrite);
        fixture.Domain.Map(Iova(2 * granule), Pa(granule), granule, ReadWrite | IommuAccess.Cacheable);
        fixture.Domain.Map(Iova(4 * granule), Pa(granule), granule, ReadWrite | IommuAccess.Mmio);
        ulong[] before = Entries();
        fixture.Hardware.Calls.Clear();
        foreach (IommuAccess access in new[] { IommuAccess.Read, IommuAccess.Read | IommuAccess.Cacheable, IommuAccess.Read | IommuAccess.Mmio })
        {
            ArgumentException thrown = Assert.Throws<ArgumentException>("access", () => fixture.Domain.Protect(Iova(0), 8 * granule, access));
            Assert.Contains("memory type", thrown.Message, StringComparison.Ordinal);
        }

        // A page that agrees, before one that does not, is as it was.
        Assert.Equal(before, Entries());
        Assert.Empty(fixture.Hardware.Calls);

        Assert.Equal(granule, fixture.Domain.Protect(Iova(0), 2 * granule, IommuAccess.Read));
        Assert.Equal(granule, fixture.Domain.Protect(Iova(2 * granule), 2 * granule, IommuAccess.Read | IommuAccess.Cacheable));
        Assert.Equal(granule, fixture.Domain.Protect(Iova(4 * granule), granule, IommuAccess.Read | IommuAccess.Mmio));
        Assert.Equal(3, fixture.Hardware.Calls.Count);

        ulong[] Entries() => [.. new ulong[] { 0, 2, 4 }.Select(i =>
        {
            Assert.True(fixture.Domain.TryTranslate(Iova(i * granule), out Translation found));
            return found.RawEntry;
        })];
    }

    [Fact]
    public void OtherFormats_ChangeTheirOneAttributeInPlace()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, ReadWrite);
        Assert.Equal(0x1000UL, fixture.Domain.Protect(Iova(0), 0x1000, IommuAccess.Read | IommuAccess.Cacheable));
        Assert.True(fixture.Domain.TryTranslate(Iova(0), out Translation found));
        Assert.Equal(IommuAccess.Read | IommuAccess.Cacheable, found.Access);
    }
}
