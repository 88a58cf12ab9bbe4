// The store-buffering litmus on the real read side: an opening's store and load against a writer's store and look.
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.Synchronization;

/// <summary>
/// The writer stores a growing number, passes the barrier, looks at the reader's slot, and where it sees no announcement it claims that no section holds
/// a smaller number. The reader opens a section, reads the number, and then must not see a claim above it. Store and load on both sides, in
/// opposite order: without the barrier both loads can miss both stores. No lockstep, so a thread that loses its processor spoils nothing.
/// </summary>
internal sealed unsafe class StoreBufferingRace : IDisposable
{
    private const int Line = 16; // words of a 128-byte line

    private readonly ulong* _lines = (ulong*)NativeMemory.AlignedAlloc(4 * Line * sizeof(ulong), 128);
    private static readonly TimeSpan _longest = TimeSpan.FromMinutes(3);
    private long _claims;
    private bool _stops;

    internal StoreBufferingRace() => NativeMemory.Clear(_lines, 4 * Line * sizeof(ulong));

    /// <summary>Sections that the reader opened.</summary>
    internal long Sections { get; private set; }

    /// <summary>Times the writer saw an announcement.</summary>
    internal long Seen { get; private set; }

    /// <summary>Times the writer saw none, and made a claim.</summary>
    internal long Claims => Volatile.Read(ref _claims);

    private ref ulong Number => ref _lines[0];

    private ref ulong Claim => ref _lines[Line];

    private ref ulong Slot => ref _lines[2 * Line];

    public void Dispose() => NativeMemory.AlignedFree(_lines);

    /// <summary>Runs so many sections, or until the time is over, or until a claim was wrong: true.</summary>
    /// <param name="sections">How many at most.</param>
    /// <param name="limit">The time; not heeded before <paramref name="atLeast"/> sections.</param>
    /// <param name="atLeast">How many sections at least, and a tenth as many claims.</param>
    internal bool RunUntilRefuted(long sections, TimeSpan limit, long atLeast = 0)
    {
        bool refuted = false;
        var reader = new Thread(() => refuted = Read(sections, limit, atLeast)) { IsBackground = true };
        reader.Start();
        Poll.Until(() => Volatile.Read(ref Slot) != 0, "the reader's slot");
        var slot = (ReaderSlot*)Slot;
        for (ulong number = 1; !Volatile.Read(ref _stops); number++)
        {
            Volatile.Write(ref Number, number);
            ProcessWideBarrier.Pass();
            if (Volatile.Read(ref slot->Announced) == 0)
            {
                Volatile.Write(ref Claim, number);
                Volatile.Write(ref _claims, _claims + 1);
            }
            else
            {
                Seen++;
            }
        }

        reader.Join();
        return refuted;
    }

    private bool Read(long sections, TimeSpan limit, long atLeast)
    {
        using (Rcu.ReadLock())
        {
            Volatile.Write(ref Slot, (ulong)CurrentReader.Slot);
        }

        long began = Stopwatch.GetTimestamp();
        ulong[] cold = new ulong[1 << 22];
        int at = 1;
        bool refuted = false;
        while (!refuted && (Sections < sections || Volatile.Read(ref _claims) < atLeast / 10))
        {
            Sections++;
            if ((Sections & 0xFFF) == 0 && Stopwatch.GetElapsedTime(began) > limit
                && ((Sections >= atLeast && Volatile.Read(ref _claims) >= atLeast / 10) || Stopwatch.GetElapsedTime(began) > _longest))
            {
                break;
            }

            // Stores to lines in no cache hold up the announcement, as stores of ordinary code before a section may.
            for (long i = Sections & 15; i > 0; i--)
            {
                at = (at * 1103515245) + 12345;
                cold[at & (cold.Length - 1)] = (ulong)i;
            }

            using (Rcu.ReadLock())
            {
                ulong number = Volatile.Read(ref Number);
                for (int i = 0; i < 50 && !refuted; i++)
                {
                    refuted = Volatile.Read(ref Claim) > number;
                }
            }
        }

        Volatile.Write(ref _stops, true);
        return refuted;
    }
}
