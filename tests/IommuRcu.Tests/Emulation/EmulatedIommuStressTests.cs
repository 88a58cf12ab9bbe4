// Devices at full speed against a writer that unmaps, flushes and reuses pages: nothing may reach a page after its flush, nothing may be undone.
using System.Diagnostics;
using IommuRcu.Emulation;
using IommuRcu.Memory;
using IommuRcu.Tests.Memory;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Emulation;

public sealed class EmulatedIommuStressTests(ITestOutputHelper output)
{
    private const int PageCount = 16;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void UnmappedAndFlushedPages_AreNeverWrittenAgain(bool flush)
    {
        int seed = TestSeed.Get(output);
        using var tables = new HandMadeTables();
        using var iommu = new EmulatedIommu(tables.Memory, new() { IotlbEntries = 16 });
        TablePage[] pages = [.. Enumerable.Range(0, PageCount).Select(_ => tables.New())];
        for (int i = 0; i < PageCount; i++)
        {
            tables.Map(IovaOf(i), pages[i]);
        }

        EmulatedDevice[] devices = [.. Enumerable.Range(0, 3).Select(i => iommu.Attach<VtdSecondStageFormat>(i, tables.PageTableRoot, 39))];
        bool stop = false;
        Thread[] threads = [.. Enumerable.Range(0, 3).Select(i => new Thread(() =>
        {
            var random = new Random(seed + i);
            byte[] data = new byte[256];
            data.AsSpan().Fill((byte)(i + 1));
            while (!Volatile.Read(ref stop))
            {
                // Devices are shared by threads.
                EmulatedDevice device = devices[random.Next(devices.Length)];
                var at = new Iova(IovaOf(random.Next(PageCount)) + (ulong)random.Next(16) * 256);
                if (random.Next(4) == 0)
                {
                    device.DmaRead(at, data);
                    data.AsSpan().Fill((byte)(i + 1));
                }
                else
                {
                    device.DmaWrite(at, data);
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

        var writer = new Random(~seed);
        int wrong = 0;
        int undone = 0;
        int rounds = 0;
        long began = Stopwatch.GetTimestamp();

        // Right: for a number of rounds, or a few seconds on a busy machine. Wrong: until it shows, which is at once where devices get to run at all.
        for (; flush ? rounds < 20_000 && Stopwatch.GetElapsedTime(began).TotalSeconds < 4 : wrong == 0 && Stopwatch.GetElapsedTime(began).TotalMinutes < 2; rounds++)
        {
            int i = writer.Next(PageCount);
            ref ulong entry = ref tables.Slot(IovaOf(i), 0);
            Interlocked.Exchange(ref entry, 0);
            var range = new IovaRange(new Iova(IovaOf(i)), new Iova(IovaOf(i) + 4095));
            if (flush)
            {
                iommu.Invalidate(range, tablesFreed: false);
            }

            // The page is ours now.
            Span<byte> bytes = tables.Bytes(pages[i]);
            bytes.Fill(0xee);
            for (int look = 0; look < 4; look++)
            {
                Thread.SpinWait(20);
                if (bytes.ContainsAnyExcept((byte)0xee))
                {
                    wrong++;
                    break;
                }
            }

            if (Volatile.Read(ref entry) != 0)
            {
                undone++;
            }

            Volatile.Write(ref entry, pages[i].Address.Value | HandMadeTables.Read | HandMadeTables.Write);
            if (!flush)
            {
                // Only the flush before the reuse is left out.
                iommu.Invalidate(range, tablesFreed: false);
            }
        }

        Volatile.Write(ref stop, true);
        foreach (Thread thread in threads)
        {
            Assert.True(thread.Join(TimeSpan.FromMinutes(1)), "Waited a minute for a thread that does DMA to stop.");
        }

        output.WriteLine($"{rounds} rounds, {iommu.Statistics}");
        Assert.Equal(0, undone);
        Assert.Equal(!flush, wrong != 0);
        Assert.All(iommu.TakeFaults(), f => Assert.Equal(IommuFaultReason.NotPresent, f.Reason));
    }

    private static ulong IovaOf(int page) => 0x20_0000 + ((ulong)page << 12);
}
