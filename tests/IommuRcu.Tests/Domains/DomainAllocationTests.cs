// No operation allocates managed memory once it has run.
using static IommuRcu.Tests.Domains.DomainFixture;

namespace IommuRcu.Tests.Domains;

public class DomainAllocationTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    [Theory]
    [InlineData("vtd-48")]
    [InlineData("amd-48")]
    [InlineData("arm1-4k")]
    public void EveryOperation_AllocatesNothing(string format)
    {
        using DomainFixture fixture = AllFormats.Open(format, o => o with { Invalidator = null, ReplacesWithoutBreak = true });
        IommuDomain domain = fixture.Domain;
        var bitmap = new DirtyBitmap(Iova(0), 4 << 20);
        Run(domain, bitmap);
        Run(domain, bitmap);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 50; i++)
        {
            Run(domain, bitmap);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Run(IommuDomain domain, DirtyBitmap bitmap)
    {
        domain.Map(Iova(0x1000), Pa(0x3000), 0x1000, ReadWrite);
        domain.Map(Iova(0x20_0000), Pa(0x3000), 0x20_0000, ReadWrite);
        domain.Map(Iova(0x4000_0000), Pa(0x20_0000), 0x20_0000, ReadWrite);
        Assert.True(domain.TryTranslate(Iova(0x1234), out _));
        domain.ReadDirty(Iova(0), 4 << 20, bitmap, DirtyReadMode.ReadAndClear);
        long count = 0;
        using (Rcu.ReadLock())
        {
            foreach (PageTableLeaf leaf in domain.Walk(Iova(0), 4 << 20))
            {
                count += (long)leaf.Size;
            }
        }

        Assert.True(count == 0x20_1000);
        domain.Protect(Iova(0x1000), 0x1000, IommuAccess.Read);
        domain.Split(Iova(0x4000_0000), 0x1000, 0x1000);
        Assert.True(domain.TryMerge(Iova(0x4000_0000), 0x20_0000));
        domain.Unmap(Iova(0x1000), 0x1000);
        using (var gather = new IotlbGather(domain))
        {
            gather.Unmap(Iova(0x20_0000), 0x20_0000);
            gather.Unmap(Iova(0x4000_0000), 0x20_0000, bitmap);
        }
    }
}
