// Neighbours in one table, each with a device: tables empty and come back all the time, and no mapping whose Map returned may be missed.
using IommuRcu.Emulation;
using IommuRcu.Memory;
using IommuRcu.Tests.Memory;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Emulation;

public sealed class EmulatedDomainStressTests(ITestOutputHelper output)
{
    private const ulong MiB = 1UL << 20;

    [Theory]
    [InlineData(nameof(PageTableFormat.VtdSecondStage), true)]
    [InlineData(nameof(PageTableFormat.VtdSecondStage), false)]
    [InlineData(nameof(PageTableFormat.X86FirstStage), true)]
    public unsafe void NeighboursInOneTable_AreServedAtOnceAndCutOffAtOnce(string format, bool cachesTables)
    {
        const int Threads = 3;
        const int Rounds = 20_000;
        int seed = TestSeed.Get(output);
        using PhysicalMemory memory = PhysicalMemory.Allocate(32 * MiB);
        using var pages = new PageAllocator(memory, new() { Ranges = [PhysicalRange.OfSize(default, 16 * MiB)], PoisonFreedPages = true });
        using var iommu = new EmulatedIommu(memory, new() { IotlbEntries = 16, CachesTables = cachesTables });
        var chosen = (PageTableFormat)typeof(PageTableFormat).GetProperty(format)!.GetValue(null)!;
        using IommuDomain domain = IommuDomain.Create(chosen, new IommuDomainOptions { PageAllocator = pages, Invalidator = iommu });
        var failures = new List<string>();
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(t => new Thread(() =>
        {
            try
            {
                var random = new Random(seed + t);
                EmulatedDevice device = iommu.Attach(t, domain);
                byte[] tag = new byte[8];
                for (int round = 0; round < Rounds; round++)
                {
                    // More tables than a domain keeps back, some far apart, so that upper tables empty as well; each thread has its own pages in all.
                    var iova = new Iova(((ulong)random.Next(40) << 30) + ((ulong)random.Next(4) << 21) + ((ulong)((random.Next(4) * Threads) + t) << 12));
                    var target = new PhysicalAddress((16 * MiB) + ((ulong)((random.Next(64) * Threads) + t) << 12));
                    BitConverter.TryWriteBytes(tag, ((long)t << 32) + round);
                    domain.Map(iova, target, 4096, IommuAccess.Read | IommuAccess.Write);
                    if (!device.DmaWrite(iova + 8, tag))
                    {
                        lock (failures)
                        {
                            failures.Add($"round {round}: missed: {string.Join("; ", iommu.TakeFaults())}");
                        }
                    }
                    else if (*(long*)memory.GetPointer(target + 8, 8) != BitConverter.ToInt64(tag))
                    {
                        lock (failures)
                        {
                            failures.Add($"round {round}: landed elsewhere");
                        }
                    }

                    if (domain.Unmap(iova, 4096) != 4096)
                    {
                        lock (failures)
                        {
                            failures.Add($"round {round}: was not mapped");
                        }
                    }

                    if (round % 16 == 0 && device.DmaWrite(iova, tag))
                    {
                        lock (failures)
                        {
                            failures.Add($"round {round}: still served");
                        }
                    }
                }
            }
            catch (Exception e)
            {
                lock (failures)
                {
                    failures.Add(e.ToString());
                }
            }
        })
        {
            IsBackground = true,
        })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            Assert.True(thread.Join(TimeSpan.FromMinutes(5)), "Waited 5 minutes for a thread that maps and does DMA.");
        }

        output.WriteLine($"{iommu.Statistics}, {pages.RetiredPagesTotal} tables retired");
        iommu.Dispose();
        Assert.Empty(failures);
        Assert.All(iommu.TakeFaults(), f => Assert.Equal(IommuFaultReason.NotPresent, f.Reason));
        domain.Dispose();
        Rcu.Barrier();
        Assert.Equal(0, pages.LivePages);
    }
}
