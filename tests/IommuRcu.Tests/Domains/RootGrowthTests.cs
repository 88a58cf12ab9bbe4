// A root that grows, seen while hardware is being told: nothing is mapped above the old root, and the old root is not taken away, before it knows.
using IommuRcu.Memory;
using IommuRcu.Tests.PageTables.Formats;

namespace IommuRcu.Tests.Domains;

public sealed class RootGrowthTests
{
    private const IommuAccess ReadWrite = IommuAccess.Read | IommuAccess.Write;
    private const ulong OldEnd = 1UL << 39;
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(2UL << 48, 1UL << 48)] // one entry of the new root: no table is missing for it
    [InlineData((1UL << 48) + 0x5000, 0x1000UL)]
    [InlineData((1UL << 48) - 0x1000, 0x2000UL)]
    public void MapAboveTheOldRoot_ReturnsOnlyWhenTheHardwareKnows(ulong iova, ulong size)
    {
        using var tested = new FormatDomain<AmdV1Format>(57);
        bool told = false;
        bool toldWhenMapped = false;
        var other = new Thread(() =>
        {
            tested.Domain.Map(new Iova(iova), new PhysicalAddress(iova & 0xF_FFFF_FFFF_FFFF), size, ReadWrite);
            toldWhenMapped = Volatile.Read(ref told);
        });
        tested.Invalidator.OnRootChanged = root =>
        {
            if (root.Levels == 5)
            {
                other.Start();
                Assert.True(SpinWait.SpinUntil(() => !other.IsAlive || (other.ThreadState & ThreadState.WaitSleepJoin) != 0, _limit));
                Assert.False(tested.Domain.TryTranslate(new Iova(iova + size - 1), out _));
                Volatile.Write(ref told, true);
            }
        };
        tested.Domain.Map(new Iova((1UL << 48) + 0x10_0000), new PhysicalAddress(0x1000), 0x1000, ReadWrite);
        Assert.True(other.Join(_limit));
        Assert.True(toldWhenMapped);
        Assert.True(tested.Domain.TryTranslate(new Iova(iova + size - 1), out _));
    }

    [Fact]
    public void OldRoot_StaysWhileHardwareMayStartFromIt()
    {
        using var tested = new FormatDomain<AmdV1Format>(48);
        PhysicalAddress oldRoot = tested.Domain.Root.Address;
        tested.Domain.Map(new Iova(0x1000), new PhysicalAddress(0x1000), 0x1000, ReadWrite);
        long live = -1;
        tested.Invalidator.OnRootChanged = _ =>
        {
            // All that the old root maps is unmapped in one call, and every grace period passes that there is.
            long before = tested.Allocator.LivePages;
            var other = new Thread(() =>
            {
                tested.Domain.Unmap(new Iova(0), OldEnd);
                Rcu.Barrier();
            });
            other.Start();
            Assert.True(other.Join(_limit));
            Assert.Equal(TablePageState.Linked, tested.Allocator.GetPage(oldRoot).State);
            live = before - tested.Allocator.LivePages;
        };
        tested.Domain.Map(new Iova(OldEnd), new PhysicalAddress(0x2000), 0x1000, ReadWrite);
        Assert.Equal(2, live); // the tables below it, and not the root

        // Now it is a table like others.
        tested.Domain.Map(new Iova(0x1000), new PhysicalAddress(0x1000), 0x1000, ReadWrite);
        Assert.Equal(0x1000UL, tested.Domain.Unmap(new Iova(0), OldEnd));
        Rcu.Barrier();
        Assert.Throws<ArgumentException>(() => tested.Allocator.GetPage(oldRoot));
        tested.Domain.Map(new Iova(0x1000), new PhysicalAddress(0x1000), 0x1000, ReadWrite);
        Assert.True(tested.Domain.TryTranslate(new Iova(0x1000), out _));
        Assert.True(tested.Domain.TryTranslate(new Iova(OldEnd), out _));
    }

    [Theory]
    [InlineData(0x4000_0000UL)] // an entry of the old root itself
    [InlineData(0x1000UL)]
    public void MapperThatStartedFromTheOldRoot_IsNotLostWhenThatLooksEmpty(ulong size)
    {
        bool stopped = true;
        for (int stop = 0; stopped; stop++)
        {
            using var tested = new FormatDomain<HookedFormat<AmdV1Format>>(48, memory: 1 << 20);
            var mapper = new SteppedThread(() => tested.Domain.Map(new Iova(0x4000_0000), new PhysicalAddress(0x4000_0000), size, ReadWrite), stop);
            mapper.RunToNextStop();
            tested.Domain.Map(new Iova(OldEnd), new PhysicalAddress(0x2000), 0x1000, ReadWrite);
            tested.Domain.ReclaimEmptyTables();
            mapper.RunToEnd();
            stopped = mapper.Stops != 0;
            Assert.True(tested.Domain.TryTranslate(new Iova(0x4000_0000), out _), $"stopped at question {stop}: the page is lost.");
            Assert.Equal(size, tested.Domain.Unmap(new Iova(0x4000_0000), size));
        }
    }

    [Fact]
    public void HardwareThatCannotBeTold_IsAskedAgainBeforeAnythingIsMappedAbove()
    {
        using var tested = new FormatDomain<AmdV1Format>(57);
        tested.Domain.Map(new Iova(0x1000), new PhysicalAddress(0x1000), 0x1000, ReadWrite);
        tested.Invalidator.OnRootChanged = _ => throw new IOException("The command queue does not answer.");
        for (int i = 0; i < 2; i++)
        {
            Assert.Throws<IOException>(() => tested.Domain.Map(new Iova(1UL << 48), new PhysicalAddress(0x2000), 0x1000, ReadWrite));
            Assert.Throws<IOException>(() => tested.Domain.Map(new Iova(2UL << 48), new PhysicalAddress(1UL << 48), 1UL << 48, ReadWrite));
            Assert.False(tested.Domain.TryTranslate(new Iova(1UL << 48), out _));
        }

        // The old tree works on, and what a device that is attached now is told covers both.
        tested.Domain.Map(new Iova(0x2000), new PhysicalAddress(0x2000), 0x1000, ReadWrite);
        Assert.Equal(5, tested.Domain.Root.Levels);
        tested.Invalidator.OnRootChanged = null;
        tested.Invalidator.Roots.Clear();
        tested.Domain.Map(new Iova(1UL << 40), new PhysicalAddress(0x2000), 0x1000, ReadWrite);
        Assert.Equal(tested.Domain.Root, Assert.Single(tested.Invalidator.Roots));
        Assert.Equal(3, tested.Walk().Count);
    }

    [Fact]
    public void RootThatWasNeverTold_IsFreedWithTheDomain()
    {
        using var tested = new FormatDomain<AmdV1Format>(57);
        tested.Domain.Map(new Iova(0x1000), new PhysicalAddress(0x1000), 0x1000, ReadWrite);
        tested.Invalidator.OnRootChanged = _ => throw new IOException("The command queue does not answer.");
        Assert.Throws<IOException>(() => tested.Domain.Map(new Iova(1UL << 48), new PhysicalAddress(0x2000), 0x1000, ReadWrite));

        // The fixture counts the pages that are left.
    }

    [Fact]
    public void RootThatIsAskedForWhileHardwareIsTold_IsTheNewOne()
    {
        using var tested = new FormatDomain<AmdV1Format>(48);
        var asked = new List<PageTableRoot>();
        tested.Invalidator.OnRootChanged = _ => asked.Add(tested.Domain.Root);
        tested.Domain.Map(new Iova(OldEnd), new PhysicalAddress(0x2000), 0x1000, ReadWrite);
        Assert.Equal(tested.Invalidator.Roots, asked);
    }
}
