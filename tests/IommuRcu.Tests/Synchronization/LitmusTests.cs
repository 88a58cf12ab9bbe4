// Litmus tests: the two shapes of reordering that RCU has to exclude, run against the real sections, millions of times.
using System.Runtime.InteropServices;
using Xunit.Abstractions;

namespace IommuRcu.Tests.Synchronization;

[Collection(GlobalRcuCollection.Name)]
public sealed unsafe class LitmusTests(ITestOutputHelper output) : IDisposable
{
    /// <summary>With the barrier off, store buffering must show within this many sections; it takes some dozens to thousands.</summary>
    private const long Sections = 10_000_000;

    /// <summary>What each litmus test observes at least, however slow the machine.</summary>
    private const long Observations = 2_000_000;

    public void Dispose() => TestHooks.Reset();

    /// <summary>A reader that sees a published pointer sees what was written before it was published.</summary>
    [Fact]
    public void MessagePassing_PointersCarryTheirContent()
    {
        const int Messages = 3_000_000;
        const int Ring = 1024;
        var blocks = (Message*)NativeMemory.AlignedAlloc((nuint)(Ring * sizeof(Message)), 64);
        NativeMemory.Clear(blocks, (nuint)(Ring * sizeof(Message)));
        Message* location = null;
        long read = 0;
        long torn = 0;
        bool stops = false;
        var reader = new Thread(() =>
        {
            while (!Volatile.Read(ref stops))
            {
                using (Rcu.ReadLock())
                {
                    Message* message = Rcu.Dereference(ref location);
                    if (message != null)
                    {
                        // B was written last before the publication, A first. A later message in the same block has a larger A.
                        ulong b = Volatile.Read(ref message->B);
                        ulong a = Volatile.Read(ref message->A);
                        torn += a < b ? 1 : 0;
                        torn += b == 0 ? 1 : 0;
                        Volatile.Write(ref read, read + 1);
                    }
                }
            }
        });
        reader.Start();
        long began = Environment.TickCount64;
        for (ulong i = 1; i <= Messages || (Volatile.Read(ref read) < Observations && Environment.TickCount64 - began < 120_000); i++)
        {
            Message* message = blocks + (i % Ring);
            Volatile.Write(ref message->A, i);
            Volatile.Write(ref message->B, i);
            Rcu.Assign(ref location, message);
        }

        Volatile.Write(ref stops, true);
        reader.Join();
        output.WriteLine($"{read} reads");
        NativeMemory.AlignedFree(blocks);
        Assert.Equal(0, torn);
        Assert.True(read >= Observations, $"only {read} reads");
    }

    /// <summary>References as well: the object is complete when it is seen.</summary>
    [Fact]
    public void MessagePassing_ReferencesCarryTheirContent()
    {
        const int Messages = 1_000_000;
        Box? location = null;
        long read = 0;
        long torn = 0;
        bool stops = false;
        var reader = new Thread(() =>
        {
            while (!Volatile.Read(ref stops))
            {
                using (Rcu.ReadLock())
                {
                    if (Rcu.Dereference(ref location) is { } box)
                    {
                        torn += box.A == 0 || box.A != box.B ? 1 : 0;
                        Volatile.Write(ref read, read + 1);
                    }
                }
            }
        });
        reader.Start();
        long began = Environment.TickCount64;
        for (ulong i = 1; i <= Messages || (Volatile.Read(ref read) < Observations && Environment.TickCount64 - began < 120_000); i++)
        {
            Rcu.Assign(ref location, new Box { A = i, B = i });
        }

        Volatile.Write(ref stops, true);
        reader.Join();
        output.WriteLine($"{read} reads");
        Assert.Equal(0, torn);
        Assert.True(read >= Observations, $"only {read} reads");
    }

    [Fact]
    public void StoreBuffering_WithTheBarrier_NeverShows()
    {
        using var race = new StoreBufferingRace();
        bool refuted = race.RunUntilRefuted(Sections, TestSeed.Duration(4), Observations);
        output.WriteLine($"{race.Sections} sections; announcement seen {race.Seen} times, not seen {race.Claims} times");
        Assert.False(refuted, $"A reader was overlooked in section {race.Sections}.");
        Assert.True(race.Sections >= Observations, $"only {race.Sections} sections");
    }

    [Fact]
    public void StoreBuffering_WithoutTheBarrier_Shows()
    {
        TestHooks.SkipsBarrier = true;
        using var race = new StoreBufferingRace();
        bool refuted = race.RunUntilRefuted(Sections, TimeSpan.FromMinutes(2));
        output.WriteLine($"a reader was overlooked in section {race.Sections}");
        Assert.True(refuted, $"Not seen in {race.Sections} sections.");
    }

    [StructLayout(LayoutKind.Sequential, Size = 64)]
    private struct Message
    {
        internal ulong A;
        internal ulong B;
    }

    private sealed class Box
    {
        internal ulong A { get; init; }

        internal ulong B { get; init; }
    }
}
