// Which tables look empty: noted by whoever unmaps, kept back for a while, handed to the reclaimer in batches.
using System.Runtime.CompilerServices;

namespace IommuRcu;

// Noting must cost an unmap next to nothing, and takes no lock and no fence. So it is a hint: two unmaps that clear the last two entries of a table at the same
// instant may each still see the other's. Nothing relies on it: the reclaimer sweeps a few tables of the tree on every pass, and finds what was not noted.
internal sealed unsafe partial class PageTableDomain<TFormat>
{
    // Tables that became empty last, one for each hash of their address: as long as a table stays here it is not reclaimed, so that mapping and
    // unmapping the only page of a table again and again costs neither an allocation nor a barrier.
    private const int KeptTables = 16;

    // A pass begins when this many tables are waiting; there is room for more, because threads go on while one reclaims.
    private const int CandidatesPerPass = 32;
    private const int MaxCandidates = 64;

    // A key names a table: its first linear address, and its level plus one in the bits below the granule. 0 is none.
    private readonly ulong[] _kept = new ulong[KeptTables];
    private readonly ulong[] _candidates = new ulong[MaxCandidates];
    private int _candidateCount;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong KeyOf(ulong linear, int level)
    {
        int shift = Shift(level + 1);
        return (shift >= 64 ? 0 : linear & ~((1UL << shift) - 1)) | (uint)(level + 1);
    }

    private static int HashOf(ulong key) => (int)((key * 0x9E37_79B9_7F4A_7C15) >> 58);

    /// <summary>Notes a table below the root, if it looks empty. In a section.</summary>
    /// <param name="table">The table.</param>
    /// <param name="level">Its level.</param>
    /// <param name="linear">An address that it serves.</param>
    /// <param name="index">Where in it an entry was just cleared.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void NoteIfEmpty(ulong* table, int level, ulong linear, int index)
    {
        // Noted before, and so looked at again before it goes: asked first, because that makes ping-pong of one page cheap.
        ulong key = KeyOf(linear, level);
        ref ulong kept = ref _kept[HashOf(key) & (KeptTables - 1)];
        if (Volatile.Read(ref kept) == key || !LooksEmpty(table, index) || WasRoot(level, linear))
        {
            return;
        }

        ulong evicted = Interlocked.Exchange(ref kept, key);
        if (evicted != 0)
        {
            AddCandidate(evicted);
        }
    }

    // From the cleared entry outwards on both sides, a cache line at a time: tables that are emptied in order, in either direction, show an entry soon.
    private static bool LooksEmpty(ulong* table, int index)
    {
        int lines = EntriesPerTable / 8;
        int line = index / 8;
        for (int distance = 0; distance <= lines / 2; distance++)
        {
            if (EntryBlock.IsLineUsed(table + (((line + distance) & (lines - 1)) * 8))
                || EntryBlock.IsLineUsed(table + (((line - distance) & (lines - 1)) * 8)))
            {
                return false;
            }
        }

        return true;
    }

    private void AddCandidate(ulong key)
    {
        int hash = HashOf(key);
        for (int i = 0; i < MaxCandidates; i++)
        {
            if (Interlocked.CompareExchange(ref _candidates[(hash + i) & (MaxCandidates - 1)], key, 0) == 0)
            {
                Interlocked.Increment(ref _candidateCount);
                return;
            }
        }

        // Full: the sweep will find the table.
    }

    /// <summary>Whether it is time for a pass of the reclaimer.</summary>
    private bool HasEnoughCandidates
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Volatile.Read(ref _candidateCount) >= CandidatesPerPass;
    }

    /// <summary>Takes the tables that wait, up to a number.</summary>
    private int TakeCandidates(Span<ulong> keys)
    {
        int count = 0;
        for (int i = 0; i < MaxCandidates && count < keys.Length; i++)
        {
            if (Volatile.Read(ref _candidates[i]) != 0)
            {
                ulong key = Interlocked.Exchange(ref _candidates[i], 0);
                if (key != 0)
                {
                    keys[count++] = key;
                }
            }
        }

        Interlocked.Add(ref _candidateCount, -count);
        return count;
    }

    private bool IsKept(ulong key) => Volatile.Read(ref _kept[HashOf(key) & (KeptTables - 1)]) == key;
}
