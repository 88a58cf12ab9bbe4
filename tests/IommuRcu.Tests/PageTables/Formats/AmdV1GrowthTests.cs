// AMD's growing root: what was mapped stays found while the root rises above it, and hardware is told before anything is mapped up there.
using IommuRcu.Tests.Memory;
using Xunit.Abstractions;

namespace IommuRcu.Tests.PageTables.Formats;

public sealed class AmdV1GrowthTests(ITestOutputHelper output)
{
    private const IommuAccess Access = IommuAccess.Read | IommuAccess.Write;

    [Theory]
    [InlineData(39, 3)]
    [InlineData(48, 3)]
    [InlineData(57, 3)]
    [InlineData(64, 3)]
    public void NewDomain_StartsWithThreeLevels(int addressBits, int levels)
    {
        using var tested = new FormatDomain<AmdV1Format>(addressBits);
        Assert.Equal(levels, tested.Domain.Root.Levels);
        Assert.Empty(tested.Invalidator.Roots);
    }

    [Fact]
    public void MappingAboveTheTop_GrowsTheRootAndTellsTheHardwareFirst()
    {
        using var tested = new FormatDomain<AmdV1Format>(64);
        tested.Domain.Map(new Iova(0x1000), new PhysicalAddress(0x1000), 0x1000, Access);
        (ulong Iova, int Levels)[] steps =
        [
            ((1UL << 39) - 0x1000, 3), (1UL << 39, 4), ((1UL << 48) - 0x1000, 4), (1UL << 48, 5), (1UL << 57, 6), (ulong.MaxValue - 0xFFF, 6),
        ];
        int told = 0;
        foreach ((ulong iova, int levels) in steps)
        {
            PhysicalAddress before = tested.Domain.Root.Address;
            int levelsBefore = tested.Domain.Root.Levels;
            tested.Domain.Map(new Iova(iova), new PhysicalAddress(0x2000), 0x1000, Access);
            Assert.Equal(levels, tested.Domain.Root.Levels);
            if (levels == levelsBefore)
            {
                Assert.Equal(before, tested.Domain.Root.Address);
            }
            else
            {
                told++;
                Assert.NotEqual(before, tested.Domain.Root.Address);
            }

            Assert.Equal(told, tested.Invalidator.Roots.Count);
            Assert.True(tested.Domain.TryTranslate(new Iova(0x1000), out _));
            Assert.True(tested.Domain.TryTranslate(new Iova(iova), out _));
        }

        Assert.Equal(tested.Domain.Root, tested.Invalidator.Roots.Last());
        Assert.Equal(7, tested.Walk().Count);
        foreach ((ulong iova, _) in steps)
        {
            Assert.Equal(0x1000UL, tested.Domain.Unmap(new Iova(iova), 0x1000));
        }

        Assert.True(tested.Domain.TryTranslate(new Iova(0x1000), out _));
        Assert.Equal(6, tested.Domain.Root.Levels);
    }

    [Fact]
    public void JumpOfSeveralLevels_EndsAtTheRightDepth()
    {
        using var tested = new FormatDomain<AmdV1Format>(64);
        tested.Domain.Map(new Iova(1UL << 63), new PhysicalAddress(0x2000), 0x1000, Access);
        Assert.Equal(6, tested.Domain.Root.Levels);
        Assert.False(tested.Domain.TryTranslate(new Iova(0), out _));
        Assert.False(tested.Domain.TryTranslate(new Iova(1UL << 57), out _));
        Assert.True(tested.Domain.TryTranslate(new Iova(1UL << 63), out _));
    }

    [Fact]
    public void UnmappingAboveTheTop_FindsHolesAndDoesNotGrow()
    {
        using var tested = new FormatDomain<AmdV1Format>(64);
        Assert.Equal(0UL, tested.Domain.Unmap(new Iova(1UL << 60), 1UL << 50));
        Assert.False(tested.Domain.TryTranslate(new Iova(1UL << 60), out _));
        Assert.Empty(tested.Walk());
        Assert.Equal(3, tested.Domain.Root.Levels);
    }

    [Fact]
    public void RangeAcrossTheTop_IsMappedInOneCall()
    {
        using var tested = new FormatDomain<AmdV1Format>(64);
        tested.Domain.Map(new Iova((1UL << 39) - 0x3000), new PhysicalAddress(0x5000), 0x7000, Access);
        Assert.Equal(4, tested.Domain.Root.Levels);
        for (ulong offset = 0; offset < 0x7000; offset += 0x1000)
        {
            Assert.True(tested.Domain.TryTranslate(new Iova((1UL << 39) - 0x3000 + offset), out Translation translation));
            Assert.Equal(new PhysicalAddress(0x5000 + offset), translation.Address);
        }

        Assert.Equal(0x7000UL, tested.Domain.Unmap(new Iova((1UL << 39) - 0x3000), 0x7000));
    }

    [Fact]
    public void RootRisesWhileOthersWalk_NothingMappedIsMissed()
    {
        var random = new Random(TestSeed.Get(output));
        for (int round = 0; round < 10; round++)
        {
            using var tested = new FormatDomain<AmdV1Format>(64, memory: 4 << 20);
            ulong[] stable = [0, 0x1000, 1UL << 21, (1UL << 39) - 0x1000];
            foreach (ulong iova in stable)
            {
                tested.Domain.Map(new Iova(iova), new PhysicalAddress(0x1000), 0x1000, Access);
            }

            bool stop = false;
            Exception? failure = null;
            using var started = new CountdownEvent(2);
            Thread[] threads =
            [
                Start(() =>
                {
                    foreach (ulong iova in stable)
                    {
                        Assert.True(tested.Domain.TryTranslate(new Iova(iova), out Translation translation));
                        Assert.Equal(new PhysicalAddress(0x1000), translation.Address);
                    }
                }),
                Start(() =>
                {
                    List<ulong> met = tested.Walk().Select(leaf => leaf.Iova.Value).ToList();
                    Assert.True(stable.All(met.Contains), "A walk misses a page that stays mapped.");
                    Assert.Equal(met.Order(), met);
                }),
            ];
            started.Wait();

            // Two mappers that need the same growth at once, in steps and in one jump.
            var mapped = new List<ulong>();
            for (int bits = 39; bits < 64; bits += random.Next(1, 10))
            {
                ulong iova = 1UL << bits;
                Parallel.Invoke(
                    () => tested.Domain.Map(new Iova(iova), new PhysicalAddress(0x2000), 0x1000, Access),
                    () => tested.Domain.Map(new Iova(iova + 0x1000), new PhysicalAddress(0x3000), 0x1000, Access));
                Assert.True(tested.Domain.TryTranslate(new Iova(iova), out _));
                Assert.True(tested.Domain.TryTranslate(new Iova(iova + 0x1000), out _));
                mapped.Add(iova);
            }

            Volatile.Write(ref stop, true);
            Array.ForEach(threads, thread => thread.Join());
            Assert.Null(failure);
            Assert.Equal(stable.Length + (2 * mapped.Count), tested.Walk().Count);
            int levels = 0;
            Assert.All(tested.Invalidator.Roots, root => Assert.True(root.Levels > levels & (levels = root.Levels) > 0));

            Thread Start(Action body)
            {
                var thread = new Thread(() =>
                {
                    try
                    {
                        body();
                        started.Signal();
                        while (!Volatile.Read(ref stop))
                        {
                            body();
                        }
                    }
                    catch (Exception caught)
                    {
                        failure = caught;
                        if (!started.IsSet)
                        {
                            started.Signal();
                        }
                    }
                });
                thread.Start();
                return thread;
            }
        }
    }
}
