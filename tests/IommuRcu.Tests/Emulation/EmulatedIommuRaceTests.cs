// What happens between two steps of a DMA, each shown to be caught with the mistake put in.
using IommuRcu.Emulation;
using IommuRcu.Memory;

namespace IommuRcu.Tests.Emulation;

public sealed class EmulatedIommuRaceTests : IDisposable
{
    private static readonly IovaRange _page = new(new Iova(0x5000), new Iova(0x5fff));

    private readonly HandMadeTables _tables = new();

    public void Dispose() => _tables.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void UnmapBeforeTheDirtyBitIsSet_IsUndoneByAPlainStoreOnly(bool byStore)
    {
        bool done = false;
        EmulatedIommu iommu = new(_tables.Memory)
        {
            Hooks = new EmulationHooks
            {
                TouchesByStore = byStore,
                BeforeTouch = _ =>
                {
                    if (!done)
                    {
                        done = true;
                        Volatile.Write(ref _tables.Slot(0x5000, 0), 0);
                    }
                },
            },
        };
        TablePage page = _tables.New();
        _tables.Map(0x5000, page);
        EmulatedDevice device = iommu.Attach<VtdSecondStageFormat>(1, _tables.PageTableRoot, 39);
        Assert.Equal(byStore, device.DmaWrite(new Iova(0x5000), [1]));
        Assert.Equal(byStore, _tables.Slot(0x5000, 0) != 0);
        Assert.Equal(byStore ? 1 : 0, _tables.Bytes(page)[0]);
        Assert.Equal(byStore ? 0 : 1, iommu.Statistics.WalkRestarts);
    }

    [Fact]
    public void WritePermissionTakenAwayBeforeTheDirtyBitIsSet_IsCheckedAgain()
    {
        bool done = false;
        EmulatedIommu iommu = new(_tables.Memory)
        {
            Hooks = new EmulationHooks
            {
                BeforeTouch = _ =>
                {
                    if (!done)
                    {
                        done = true;
                        ref ulong entry = ref _tables.Slot(0x5000, 0);
                        Volatile.Write(ref entry, entry & ~HandMadeTables.Write);
                    }
                },
            },
        };
        TablePage page = _tables.New();
        _tables.Map(0x5000, page);
        EmulatedDevice device = iommu.Attach<VtdSecondStageFormat>(1, _tables.PageTableRoot, 39);
        Assert.False(device.DmaWrite(new Iova(0x5000), [1]));
        Assert.Equal(IommuFaultReason.WriteDenied, Assert.Single(iommu.TakeFaults()).Reason);
        Assert.Equal(0, _tables.Bytes(page)[0]);
        Assert.Equal(0UL, _tables.Slot(0x5000, 0) & HandMadeTables.Dirty);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Invalidation_ReturnsAfterWhatIsInFlight(bool skipsDrain)
    {
        using var inFlight = new ManualResetEventSlim();
        bool invalidated = false;
        bool overtaken = false;
        EmulatedIommu iommu = new(_tables.Memory)
        {
            Hooks = new EmulationHooks
            {
                SkipsDrain = skipsDrain,
                BeforeCopy = _ =>
                {
                    // The DMA holds a translation. Where the drain is missing, the invalidation returns while it does.
                    inFlight.Set();
                    overtaken = SpinWait.SpinUntil(() => Volatile.Read(ref invalidated), TimeSpan.FromMilliseconds(skipsDrain ? 20_000 : 100));
                },
            },
        };
        _tables.Map(0x5000, _tables.New());
        EmulatedDevice device = iommu.Attach<VtdSecondStageFormat>(1, _tables.PageTableRoot, 39);
        var dma = new Thread(() => device.DmaWrite(new Iova(0x5000), [1])) { IsBackground = true };
        dma.Start();
        Assert.True(inFlight.Wait(TimeSpan.FromMinutes(1)), "Waited a minute for the DMA to begin.");
        Volatile.Write(ref _tables.Slot(0x5000, 0), 0);
        iommu.Invalidate(_page, tablesFreed: false);
        Volatile.Write(ref invalidated, true);
        Assert.True(dma.Join(TimeSpan.FromMinutes(1)), "Waited a minute for the DMA to end.");
        Assert.Equal(skipsDrain, overtaken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void WalkThatAnInvalidationOvertook_IsNotCached(bool cachesAllTheSame)
    {
        EmulatedIommu? iommu = null;
        bool done = false;
        iommu = new(_tables.Memory)
        {
            Hooks = new EmulationHooks
            {
                CachesOvertakenWalks = cachesAllTheSame,
                BeforeCaching = _ =>
                {
                    if (!done)
                    {
                        // The sweep alone: this thread's own DMA is what a whole invalidation would wait for.
                        done = true;
                        Volatile.Write(ref _tables.Slot(0x5000, 0), 0);
                        iommu!.SweepAllContexts(_page, tablesFreed: false);
                    }
                },
            },
        };
        _tables.Map(0x5000, _tables.New());
        EmulatedDevice device = iommu.Attach<VtdSecondStageFormat>(1, _tables.PageTableRoot, 39);
        Assert.True(device.DmaWrite(new Iova(0x5000), [1]));
        Assert.Equal(cachesAllTheSame, device.DmaWrite(new Iova(0x5000), [2]));
    }
}
