// Bad arguments and exhausted memory: an exception of the right kind, and nothing changed.
using IommuRcu.Memory;
using static IommuRcu.Tests.Domains.DomainFixture;

namespace IommuRcu.Tests.Domains;

public class DomainErrorTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    [Theory]
    [InlineData(0x1001UL, 0x1000UL, 0x1000UL)]
    [InlineData(0x1000UL, 0x1800UL, 0x1000UL)]
    [InlineData(0x1000UL, 0x1000UL, 0x1800UL)]
    [InlineData(0x1000UL, 0x1000UL, 0UL)]
    [InlineData(0x0000_FFFF_FFFF_F000UL, 0x1000UL, 0x2000UL)]
    [InlineData(0x0001_0000_0000_0000UL, 0x1000UL, 0x1000UL)]
    [InlineData(0xFFFF_FFFF_FFFF_F000UL, 0x1000UL, 0x2000UL)]
    [InlineData(0x1000UL, 0x000F_FFFF_FFFF_F000UL, 0x2000UL)]
    [InlineData(0x1000UL, 0x0010_0000_0000_0000UL, 0x1000UL)]
    public void BadMapping_IsAnArgumentErrorAndChangesNothing(ulong iova, ulong address, ulong size)
    {
        using var fixture = new DomainFixture();
        Assert.ThrowsAny<ArgumentException>(() => fixture.Domain.Map(Iova(iova), Pa(address), size, ReadWrite));
        Assert.Equal(1, fixture.Allocator.LivePages);
    }

    [Theory]
    [InlineData(IommuAccess.None)]
    [InlineData(IommuAccess.Cacheable)]
    [InlineData(IommuAccess.Read | (IommuAccess)0x100)]
    [InlineData(IommuAccess.Execute)]
    public void UnsupportedAccess_IsAnArgumentError(IommuAccess access)
    {
        using var fixture = new DomainFixture();
        Assert.ThrowsAny<ArgumentException>(() => fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, access));
    }

    [Fact]
    public void MappingOverAMapping_NamesItAndChangesNothing()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0x20_3000), Pa(0x5000), 0x1000, ReadWrite);
        long pages = fixture.Allocator.LivePages;
        IovaInUseException thrown = Assert.Throws<IovaInUseException>(() => fixture.Domain.Map(Iova(0x1000), Pa(0x1000), 0x40_0000, ReadWrite));
        Assert.Equal(Iova(0x20_3000), thrown.Iova);
        Assert.False(fixture.Domain.TryTranslate(Iova(0x1000), out _));
        Assert.Equal(pages, fixture.Allocator.LivePages);
        Assert.Throws<IovaInUseException>(() => fixture.Domain.Map(Iova(0x20_3000), Pa(0x5000), 0x1000, ReadWrite));
    }

    [Fact]
    public void UnmapInsideALargePage_NamesThePage()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0x4000_0000), Pa(0x4000_0000), 0x4000_0000, ReadWrite);
        ArgumentException thrown = Assert.ThrowsAny<ArgumentException>(() => fixture.Domain.Unmap(Iova(0x4000_1000), 0x1000));
        Assert.Contains("0x40000000", thrown.Message, StringComparison.Ordinal);
        Assert.ThrowsAny<ArgumentException>(() => fixture.Domain.Unmap(Iova(0x3000_0000), 0x2000_0000));
        Assert.Equal(0x4000_0000UL, fixture.Domain.Unmap(Iova(0), 1UL << 40));
    }

    [Fact]
    public void NoMemory_IsThrownBeforeAnythingIsMapped()
    {
        using var fixture = new DomainFixture(limitBytes: 8 * 0x1000);
        Assert.Throws<OutOfMemoryException>(() => fixture.Domain.Map(Iova(0), Pa(0x1000), 0x200_0000, ReadWrite));
        Assert.Equal(1, fixture.Allocator.LivePages);
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, ReadWrite);
        Assert.True(fixture.Domain.TryTranslate(Iova(0), out _));
    }

    [Fact]
    public void MessagesOfTheAllocator_AreSentences()
    {
        using PhysicalMemory memory = PhysicalMemory.Allocate(64 << 10);
        using var allocator = new PageAllocator(memory);
        TablePage page = allocator.Allocate();
        Assert.StartsWith("1 page is in use, 0 of them", Assert.Throws<InvalidOperationException>(allocator.Dispose).Message, StringComparison.Ordinal);
        string message = Assert.Throws<OutOfMemoryException>(() => allocator.Allocate(30)).Message;
        Assert.EndsWith("0 pages wait for a grace period, and there is no limit but the ranges.", message, StringComparison.Ordinal);
        allocator.Free(page);
    }

    [Fact]
    public void RangeThatEndsAtTheTop_IsValid()
    {
        using var fixture = new DomainFixture(PageTableFormat.AmdV1, o => o with { AddressBits = 64 });
        ulong last = 0xFFFF_FFFF_FFFF_F000;
        fixture.Domain.Map(Iova(last), Pa(0x7000), 0x1000, ReadWrite);
        Assert.True(fixture.Domain.TryTranslate(Iova(ulong.MaxValue), out Translation found));
        Assert.Equal(Pa(0x7FFF), found.Address);
        Assert.Equal(6, fixture.Domain.Root.Levels);
        Assert.Equal(6, fixture.Hardware.Roots[^1].Levels);
    }

    [Fact]
    public void MissIsNotAddressZero()
    {
        using var fixture = new DomainFixture();
        Assert.False(fixture.Domain.TryTranslate(Iova(0), out _));
        fixture.Domain.Map(Iova(0), Pa(0), 0x1000, IommuAccess.Read);
        Assert.True(fixture.Domain.TryTranslate(Iova(0), out Translation found));
        Assert.Equal(Pa(0), found.Address);
        Assert.False(fixture.Domain.TryTranslate(Iova(ulong.MaxValue), out _));
    }

    [Fact]
    public void WalkOutsideASection_Throws()
    {
        using var fixture = new DomainFixture();
        Assert.Throws<InvalidOperationException>(() =>
        {
            fixture.Domain.Walk(Iova(0), 0x1000);
        });
    }

    [Fact]
    public void WalkThatIsLeft_SaysWhereToResume()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0x1000), Pa(0x1000), 0x1_4000, ReadWrite);
        fixture.Domain.Map(Iova(0x10_0000), Pa(0x1000), 0x1000, ReadWrite);
        var met = new List<ulong>();
        Iova? next = Iova(0);
        while (next is { } from)
        {
            using (Rcu.ReadLock())
            {
                PageTableWalk walk = fixture.Domain.Walk(from, 0x20_0000 - from.Value);
                for (int i = 0; i < 3 && walk.MoveNext(); i++)
                {
                    met.Add(walk.Current.Iova.Value);
                }

                next = walk.ResumeAt;
            }
        }

        Assert.Equal([.. Enumerable.Range(1, 20).Select(i => (ulong)i << 12), 0x10_0000UL], met);
    }

    [Fact]
    public void DisposedDomain_SaysSo()
    {
        var fixture = new DomainFixture();
        IommuDomain domain = fixture.Domain;
        fixture.Dispose();
        domain.Dispose();
        Assert.Equal(nameof(IommuDomain), Assert.Throws<ObjectDisposedException>(() => domain.Map(Iova(0), Pa(0x1000), 0x1000, ReadWrite)).ObjectName);
        Assert.Throws<ObjectDisposedException>(() => domain.Unmap(Iova(0), 0x1000));
        Assert.Throws<ObjectDisposedException>(() => domain.TryTranslate(Iova(0), out _));
        Assert.Throws<ObjectDisposedException>(() => domain.Root);
        Assert.Throws<ObjectDisposedException>(() => new IotlbGather(domain).Dispose());
    }

    [Fact]
    public void DisposeInsideASection_ThrowsAndChangesNothing()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, ReadWrite);
        using (Rcu.ReadLock())
        {
            IommuDomain domain = fixture.Domain;
            Assert.Throws<InvalidOperationException>(domain.Dispose);
            Assert.True(domain.TryTranslate(Iova(0), out _));
            domain.Unmap(Iova(0), 0x1000);
            domain.Map(Iova(0x20_0000), Pa(0x1000), 0x1000, ReadWrite);
        }
    }
}
