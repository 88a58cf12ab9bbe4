// Threads that allocate, hand over and free at once, with memory so short that caches are called in all the time.
using IommuRcu.Memory;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Memory;

public sealed unsafe class PageAllocatorStressTests(ITestOutputHelper output)
{
    private const ulong MiB = 1UL << 20;

    [Theory]
    [InlineData(64)]
    [InlineData(4096)]
    public void ThreadsThatShareFewPages_NeverShareOneAtOnce(int frames)
    {
        int seed = TestSeed.Get(output);
        using PhysicalMemory memory = PhysicalMemory.Allocate(32 * MiB);
        using var pages = new PageAllocator(memory, new() { Ranges = [PhysicalRange.OfSize(new(0x10_0000), (ulong)frames * 4096)] });
        var shelf = new long[32];
        int failures = 0;
        int refusals = 0;
        Run(4, seed, (random, thread) =>
        {
            for (int i = 0; i < 20_000; i++)
            {
                int slot = random.Next(shelf.Length);
                var page = new TablePage((PageDescriptor*)Interlocked.Exchange(ref shelf[slot], 0));
                if (!page.IsNull)
                {
                    // The tag of whoever put it there, in the first and the last word.
                    ulong* words = (ulong*)page.Pointer;
                    ulong last = (page.Size / 8) - 1;
                    if (words[0] != page.Address.Value || words[last] != ~page.Address.Value)
                    {
                        Interlocked.Increment(ref failures);
                    }

                    pages.Free(page);
                    continue;
                }

                if (!pages.TryAllocate(out page, 12 + Math.Min(random.Next(7), random.Next(7))))
                {
                    Interlocked.Increment(ref refusals);
                    continue;
                }

                ulong* fresh = (ulong*)page.Pointer;
                ulong end = (page.Size / 8) - 1;
                if (new Span<ulong>(fresh, (int)end + 1).ContainsAnyExcept(0UL))
                {
                    Interlocked.Increment(ref failures);
                }

                fresh[0] = page.Address.Value;
                fresh[end] = ~page.Address.Value;
                var old = new TablePage((PageDescriptor*)Interlocked.Exchange(ref shelf[slot], (long)page.Descriptor));
                if (!old.IsNull)
                {
                    pages.Free(old);
                }
            }
        });
        foreach (long left in shelf)
        {
            if (left != 0)
            {
                pages.Free(new TablePage((PageDescriptor*)left));
            }
        }

        output.WriteLine($"{pages.AllocatedPages} pages, {refusals} refusals");
        Assert.Equal(0, failures);
        Assert.Equal(0, pages.LivePages);

        // All frames joined up again: the largest block that the range can hold is there.
        TablePage large = pages.Allocate(12 + int.Log2(frames) - 1);
        pages.Free(large);
    }

    [Fact]
    public void TwoThreadsThatFreeTheSamePage_OneIsToldSo()
    {
        int seed = TestSeed.Get(output);
        using PhysicalMemory memory = PhysicalMemory.Allocate(4 * MiB);
        using var pages = new PageAllocator(memory);
        var round = new TablePage[500];
        for (int i = 0; i < 500; i++)
        {
            round[i] = pages.Allocate();
        }

        int thrown = 0;
        using var start = new Barrier(2);
        Run(2, seed, (_, _) =>
        {
            start.SignalAndWait();
            for (int i = 0; i < 500; i++)
            {
                try
                {
                    pages.Free(round[i]);
                }
                catch (InvalidOperationException)
                {
                    Interlocked.Increment(ref thrown);
                }
            }
        });
        Assert.Equal(500, thrown);
        Assert.Equal(0, pages.LivePages);
    }

    private static void Run(int threads, int seed, Action<Random, int> body)
    {
        Exception? failure = null;
        Thread[] all = [.. Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            try
            {
                body(new Random(seed + i), i);
            }
            catch (Exception e)
            {
                Volatile.Write(ref failure, e);
            }
        }))];
        foreach (Thread thread in all)
        {
            thread.Start();
        }

        foreach (Thread thread in all)
        {
            thread.Join();
        }

        Assert.Null(failure);
    }
}
