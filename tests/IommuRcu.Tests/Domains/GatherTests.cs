// The gather: one flush for many calls, nothing retired before it, nothing lost when it fails, no use after it.
using IommuRcu.Memory;
using static IommuRcu.Tests.Domains.DomainFixture;

namespace IommuRcu.Tests.Domains;

public class GatherTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;

    [Fact]
    public void EmptyGather_FlushesNothing()
    {
        using var fixture = new DomainFixture();
        using (var gather = new IotlbGather(fixture.Domain))
        {
            Assert.Equal(0UL, gather.Unmap(Iova(0x1000), 0x5000));
            Assert.True(gather.IsEmpty);
        }

        Assert.Equal(0UL, fixture.Domain.Unmap(Iova(0), 0x1000));
        Assert.Empty(fixture.Hardware.Calls);
    }

    [Fact]
    public void ManyUnmaps_AreOneFlushOfTheWholeRange()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0x1000), Pa(0x1000), 0x1000, ReadWrite);
        fixture.Domain.Map(Iova(0x9000), Pa(0x1000), 0x1000, ReadWrite);
        using (var gather = new IotlbGather(fixture.Domain))
        {
            gather.Unmap(Iova(0x9000), 0x1000);
            gather.Unmap(Iova(0x1000), 0x1000);
            Assert.Empty(fixture.Hardware.Calls);
        }

        Assert.Equal([(new IovaRange(Iova(0x1000), Iova(0x9FFF)), false)], fixture.Hardware.Calls);
    }

    [Fact]
    public void CopyOfASyncedGather_Throws()
    {
        using var fixture = new DomainFixture();
        var gather = new IotlbGather(fixture.Domain);
        IotlbGather copy = gather;
        gather.Sync();
        bool threw = false;
        try
        {
            copy.Unmap(Iova(0), 0x1000);
        }
        catch (InvalidOperationException)
        {
            threw = true;
        }

        Assert.True(threw);
        threw = false;
        try
        {
            copy.Sync();
        }
        catch (InvalidOperationException)
        {
            threw = true;
        }

        Assert.True(threw);
        copy.Dispose();
        gather.Dispose();

        // The state is used again, and the copy still knows that it is not its own.
        var next = new IotlbGather(fixture.Domain);
        next.AddRange(Iova(0), 0x1000);
        copy.Dispose();
        Assert.False(next.IsEmpty);
        next.Dispose();
        Assert.Single(fixture.Hardware.Calls);
    }

    [Fact]
    public void GatherOfAnotherDomain_IsRefused()
    {
        using var fixture = new DomainFixture();
        using var other = new DomainFixture();
        var gather = new IotlbGather(other.Domain);
        bool threw = false;
        try
        {
            fixture.Domain.Unmap(Iova(0), 0x1000, ref gather);
        }
        catch (ArgumentException)
        {
            threw = true;
        }

        Assert.True(threw);
        gather.Dispose();
    }

    [Fact]
    public void FailingFlush_KeepsEverythingForTheNextSync()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x20_0000, ReadWrite);
        long mapped = fixture.Allocator.LivePages;
        var gather = new IotlbGather(fixture.Domain);
        gather.Unmap(Iova(0), 0x20_0000);
        fixture.Hardware.FailuresLeft = 1;
        bool threw = false;
        try
        {
            gather.Sync();
        }
        catch (IOException)
        {
            threw = true;
        }

        Assert.True(threw);
        Rcu.Barrier();
        Assert.Equal(mapped, fixture.Allocator.LivePages);
        Assert.Equal(1, gather.PageCount);
        gather.Sync();
        Rcu.Barrier();
        Assert.Equal(mapped - 1, fixture.Allocator.LivePages);
    }

    [Fact]
    public void FailingFlushInDispose_IsRepeatedByTheNextFlush()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x20_0000, ReadWrite);
        fixture.Domain.Map(Iova(0x4000_0000), Pa(0x1000), 0x1000, ReadWrite);
        long mapped = fixture.Allocator.LivePages;
        fixture.Hardware.FailuresLeft = 1;
        using (var gather = new IotlbGather(fixture.Domain))
        {
            gather.Unmap(Iova(0), 0x20_0000);
        }

        Assert.True(fixture.Domain.HasPendingFlush);
        Rcu.Barrier();
        Assert.Equal(mapped, fixture.Allocator.LivePages);
        Assert.Equal(0x1000UL, fixture.Domain.Unmap(Iova(0x4000_0000), 0x1000));
        Assert.False(fixture.Domain.HasPendingFlush);
        Assert.Equal([(new IovaRange(Iova(0), Iova(0x4000_0FFF)), true)], fixture.Hardware.Calls);
        Rcu.Barrier();
        Assert.Equal(mapped - 1, fixture.Allocator.LivePages);
    }

    [Fact]
    public void FailingFlushOfAStrictUnmap_ThrowsAndStaysPending()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, ReadWrite);
        fixture.Hardware.FailuresLeft = 1;
        Assert.Throws<IOException>(() => fixture.Domain.Unmap(Iova(0), 0x1000));
        Assert.False(fixture.Domain.TryTranslate(Iova(0), out _));
        Assert.True(fixture.Domain.HasPendingFlush);
        fixture.Domain.FlushPending();
        Assert.Equal([(new IovaRange(Iova(0), Iova(0xFFF)), false)], fixture.Hardware.Calls);
    }

    [Fact]
    public void PageWithoutARange_IsRefused()
    {
        using var fixture = new DomainFixture();
        TablePage page = fixture.Allocator.Allocate();
        var gather = new IotlbGather(fixture.Domain);
        bool threw = false;
        try
        {
            gather.Add(page);
        }
        catch (InvalidOperationException)
        {
            threw = true;
        }

        Assert.True(threw);
        gather.AddRange(Iova(0x1000), 0x1000);
        gather.Add(page);
        gather.Sync();
        Rcu.Barrier();
        Assert.Equal(1, fixture.Allocator.LivePages);
    }

    [Fact]
    public void PagesAreRetired_OnlyAfterTheFlushReturned()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x20_0000, ReadWrite);
        long mapped = fixture.Allocator.LivePages;
        long live = 0;
        fixture.Hardware.OnInvalidate = () =>
        {
            // Whatever grace periods pass while the hardware drains: the table is still there.
            Rcu.Barrier();
            live = fixture.Allocator.LivePages;
        };
        fixture.Domain.Unmap(Iova(0), 0x20_0000);
        fixture.Hardware.OnInvalidate = null;
        Assert.Equal(mapped, live);
    }

    [Fact]
    public void PendingFlush_IsOwedUntilItsRepetitionHasReturned()
    {
        using var fixture = new DomainFixture();
        FailOneUnmap(fixture);
        bool? owed = null;
        fixture.Hardware.OnInvalidate = () => owed = fixture.Domain.HasPendingFlush;
        fixture.Domain.FlushPending();
        fixture.Hardware.OnInvalidate = null;
        Assert.True(owed);
        Assert.False(fixture.Domain.HasPendingFlush);
    }

    [Fact]
    public void FlushPending_WaitsForTheThreadThatIsFlushing()
    {
        using var fixture = new DomainFixture();
        FailOneUnmap(fixture);
        bool drained = false;
        bool drainedWhenItReturned = false;
        var other = new Thread(() =>
        {
            fixture.Domain.FlushPending();
            drainedWhenItReturned = Volatile.Read(ref drained);
        });
        fixture.Hardware.OnInvalidate = () =>
        {
            fixture.Hardware.OnInvalidate = null;
            other.Start();
            Assert.True(SpinWait.SpinUntil(() => !other.IsAlive || (other.ThreadState & ThreadState.WaitSleepJoin) != 0, TimeSpan.FromSeconds(60)));
            Volatile.Write(ref drained, true);
        };
        fixture.Domain.FlushPending();
        Assert.True(other.Join(TimeSpan.FromSeconds(60)));
        Assert.True(drainedWhenItReturned);
    }

    [Fact]
    public void PendingFlushThatFailsAgainInASync_StaysPendingAndStaysOutOfTheGather()
    {
        using var fixture = new DomainFixture();
        fixture.Domain.Map(Iova(0x4000_0000), Pa(0x1000), 0x20_0000, ReadWrite);
        FailOneUnmap(fixture);
        var gather = new IotlbGather(fixture.Domain);
        gather.Unmap(Iova(0x4000_0000), 0x20_0000);
        fixture.Hardware.FailuresLeft = 1;
        bool threw = false;
        try
        {
            gather.Sync();
        }
        catch (IOException)
        {
            threw = true;
        }

        Assert.True(threw);
        Assert.True(fixture.Domain.HasPendingFlush);
        Assert.Equal(1, gather.PageCount);
        fixture.Domain.FlushPending();
        Assert.Equal([(new IovaRange(Iova(0), Iova(0xFFF)), false)], fixture.Hardware.Calls);
        gather.Sync();
        Assert.Equal((new IovaRange(Iova(0x4000_0000), Iova(0x401F_FFFF)), true), fixture.Hardware.Calls[^1]);
        Assert.False(fixture.Domain.HasPendingFlush);
    }

    [Fact]
    public void PageOfAnotherAllocator_IsRefusedAndNothingChanges()
    {
        using var fixture = new DomainFixture();
        using var other = new DomainFixture();
        TablePage page = other.Allocator.Allocate();
        fixture.Domain.Map(Iova(0x1000), Pa(0x1000), 0x1000, ReadWrite);
        var gather = new IotlbGather(fixture.Domain);
        gather.Unmap(Iova(0x1000), 0x1000);
        ArgumentException? thrown = null;
        try
        {
            gather.Add(page);
        }
        catch (ArgumentException e)
        {
            thrown = e;
        }

        Assert.Equal("page", thrown?.ParamName);
        Assert.Equal(TablePageState.Allocated, page.State);
        Assert.Equal(0, gather.PageCount);
        gather.Sync();
        Assert.False(fixture.Domain.HasPendingFlush);
        other.Allocator.Free(page);
    }

    [Fact]
    public void PageThatIsLinkedOrOnAList_IsRefusedAndNothingChanges()
    {
        using var fixture = new DomainFixture();
        using var gather = new IotlbGather(fixture.Domain);
        gather.AddRange(Iova(0x1000), 0x1000);
        TablePage listed = fixture.Allocator.Allocate();
        PageList list = default;
        list.Add(listed);
        TablePage root = fixture.Allocator.GetPage(fixture.Domain.Root.Address);
        foreach (TablePage page in new[] { listed, root })
        {
            TablePageState state = page.State;
            bool threw = false;
            try
            {
                gather.Add(page);
            }
            catch (InvalidOperationException)
            {
                threw = true;
            }

            Assert.True(threw);
            Assert.Equal(state, page.State);
            Assert.Equal(0, gather.PageCount);
        }

        fixture.Allocator.FreeList(ref list);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void BothStrategies_FreeEveryPage(bool perPage)
    {
        using var fixture = new DomainFixture(configure: o => o with { RetireStrategy = perPage ? RetireStrategy.CallbackPerPage : RetireStrategy.CallbackPerList });
        long before = fixture.Allocator.LivePages;
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x4000_0000, ReadWrite);
        fixture.Domain.Map(Iova(0x8000_0000), Pa(0x1000), 0x4000_0000, ReadWrite);
        Assert.True(fixture.Allocator.LivePages > before + 1000);
        Assert.Equal(0x4000_0000UL, fixture.Domain.Unmap(Iova(0), 0x4000_0000));
        Assert.Equal(0x4000_0000UL, fixture.Domain.Unmap(Iova(0x8000_0000), 0x4000_0000));
        Rcu.Barrier();
        Assert.Equal(before + 1, fixture.Allocator.LivePages);
    }

    // Leaves the flush of the page at 0 pending.
    private static void FailOneUnmap(DomainFixture fixture)
    {
        fixture.Domain.Map(Iova(0), Pa(0x1000), 0x1000, ReadWrite);
        fixture.Hardware.FailuresLeft = 1;
        Assert.Throws<IOException>(() => fixture.Domain.Unmap(Iova(0), 0x1000));
        Assert.True(fixture.Domain.HasPendingFlush);
    }
}
