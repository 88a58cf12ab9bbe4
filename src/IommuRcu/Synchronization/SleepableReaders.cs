// The readers of a sleepable domain: a cell for each open section, and its grace periods.
using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IommuRcu;

/// <summary>Cells that announce open sections; taken from striped free lists, never given back while the domain lives.</summary>
/// <remarks>
/// A cell is announced as a slot of <see cref="Rcu"/> is, and scanned by the same rule. Its chunk and the count are published before its first
/// announcement, so that the process-wide barrier makes all or nothing of it visible.
/// </remarks>
internal sealed unsafe class SleepableReaders : GracePeriodEngine
{
    private const int FirstChunkLog2 = 4;
    private const int MaxChunks = 27;
    private const int LineWords = 16; // 128 bytes
    private const int Stripes = 16;

    private readonly object _lock = new();
    private readonly StallWatch _stall = new();

    // Pinned managed arrays, so that a stale scope never touches freed memory, and nothing needs a finalizer.
    private readonly ulong[] _words = GC.AllocateArray<ulong>((Stripes + 3) * LineWords, pinned: true);
    private readonly Cell[]?[] _chunks = new Cell[MaxChunks][];
    private static long _ended;

    private CellInfo[] _infos = [];
    private int _count;

    internal SleepableReaders(string name)
    {
        Name = name;
        Number = 1;
    }

    /// <summary>Grace periods of all sleepable domains that ended.</summary>
    internal static long Ended => Volatile.Read(ref _ended);

    internal override string Name { get; }

    internal bool AnyOpen
    {
        get
        {
            int count = Volatile.Read(ref _count);
            for (int i = 0; i < count; i++)
            {
                if (Volatile.Read(ref CellAt(i).Announced) != 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    // On a line of its own, between the array's header and the heads of the free lists.
    private ref ulong Number => ref _words[LineWords];

    /// <summary>What reports know about a cell.</summary>
    internal CellInfo InfoOf(int cell) => Volatile.Read(ref _infos)[cell];

    /// <summary>Opens a section: the cell that announces it, and the generation that closes it.</summary>
    /// <param name="section">What the flow knows of it, if it is tracked.</param>
    /// <param name="generation">Closes it.</param>
    internal int Open(SleepableSection? section, out ulong generation)
    {
        // First all that may throw: a cell once taken is announced.
        Thread opener = Thread.CurrentThread;
        StackTrace? stack = ReaderRegistry.RecordsOpeners ? new StackTrace(2, fNeedFileInfo: false) : null;
        int stripe = Thread.GetCurrentProcessorId() & (Stripes - 1);
        int index = Pop(stripe);
        if (index < 0)
        {
            index = TestHooks.ReusedCell >= 0 ? TestHooks.ReusedCell : Extend(stripe);
        }

        // The cell is this thread's alone until it is announced.
        ref Cell cell = ref CellAt(index);
        generation = cell.Generation + 1;
        Volatile.Write(ref cell.Generation, generation);
        CellInfo info = InfoOf(index);
        info.Opener = opener;
        info.OpenerStack = stack;
        info.Section = section;
        Volatile.Write(ref cell.Announced, Volatile.Read(ref Number)); // as in ReaderSlot.Announce
        return index;
    }

    /// <summary>Closes a section; false if this opening of the cell was closed before.</summary>
    internal bool TryClose(int index, ulong generation)
    {
        ref Cell cell = ref CellAt(index);
        if (Interlocked.CompareExchange(ref cell.Generation, generation + 1, generation) != generation)
        {
            return false;
        }

        // Only one closer comes here. Release: the section's reads come first; they happened before this call, on whatever threads.
        InfoOf(index).Clear();
        Volatile.Write(ref cell.Announced, 0);
        Push(cell.Stripe, index);
        return true;
    }

    protected override void CountEnded() => Interlocked.Increment(ref _ended);

    protected override void Advance(ulong number) => Volatile.Write(ref Number, number);

    protected override bool ReadersGone(ulong number, ref int cursor)
    {
        int count = Volatile.Read(ref _count);
        int skipped = TestHooks.SkippedCell;
        for (; cursor < count; cursor++)
        {
            if (Volatile.Read(ref CellAt(cursor).Announced) - 1 < number && cursor != skipped)
            {
                return false;
            }
        }

        return true;
    }

    protected override void Inspect(int cursor, TimeSpan waited)
    {
        if (cursor >= Volatile.Read(ref _count))
        {
            return;
        }

        CellInfo info = InfoOf(cursor);
        ref Cell cell = ref CellAt(cursor);
        if (Volatile.Read(ref cell.Announced) != 0
            && _stall.IsDue(cursor, Volatile.Read(ref cell.Generation), waited)
            && info.Opener is { } thread)
        {
            StallReports.ReportOpen(Name, thread.ManagedThreadId, thread.Name, waited, info.OpenerStack);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Cell CellAt(int index)
    {
        uint shifted = (uint)index + (1u << FirstChunkLog2);
        int chunk = BitOperations.Log2(shifted) - FirstChunkLog2;
        return ref Volatile.Read(ref _chunks[chunk])![shifted - (1u << (chunk + FirstChunkLog2))];
    }

    private ref ulong FreeHead(int stripe) => ref _words[(stripe + 2) * LineWords];

    // A free list's head holds a tag above the index + 1 of its first cell; the tag changes at each pop, so that a head that was popped and
    // pushed again in between is told apart.
    private int Pop(int stripe)
    {
        ref ulong head = ref FreeHead(stripe);
        while (true)
        {
            ulong seen = Volatile.Read(ref head);
            uint first = (uint)seen;
            if (first == 0)
            {
                return -1;
            }

            // May be stale if another thread popped it meanwhile; then the tag differs and the exchange fails.
            uint next = Volatile.Read(ref CellAt((int)first - 1).NextFree);
            if (Interlocked.CompareExchange(ref head, ((seen >> 32) + 1) << 32 | next, seen) == seen)
            {
                return (int)first - 1;
            }
        }
    }

    private void Push(int stripe, int index)
    {
        ref ulong head = ref FreeHead(stripe);
        ref Cell cell = ref CellAt(index);
        while (true)
        {
            ulong seen = Volatile.Read(ref head);
            Volatile.Write(ref cell.NextFree, (uint)seen);
            if (Interlocked.CompareExchange(ref head, (seen & 0xFFFF_FFFF_0000_0000) | (uint)(index + 1), seen) == seen)
            {
                return;
            }
        }
    }

    private int Extend(int stripe)
    {
        using (Gate.Enter(_lock))
        {
            int index = _count;
            uint shifted = (uint)index + (1u << FirstChunkLog2);
            int chunk = BitOperations.Log2(shifted) - FirstChunkLog2;
            if (_chunks[chunk] == null)
            {
                int size = 1 << (chunk + FirstChunkLog2);
                Cell[] cells = GC.AllocateArray<Cell>(size, pinned: true);
                var infos = new CellInfo[index + size];
                Array.Copy(_infos, infos, index);
                for (int i = index; i < infos.Length; i++)
                {
                    infos[i] = new CellInfo();
                }

                // Both or none: allocating is done.
                Volatile.Write(ref _infos, infos);
                Volatile.Write(ref _chunks[chunk], cells);
            }

            CellAt(index).Stripe = stripe;
            Volatile.Write(ref _count, index + 1); // after the chunk, before the announcement
            return index;
        }
    }

    /// <summary>The managed half of a cell. Reports read it without a lock: what they say may be of the section before or after.</summary>
    internal sealed class CellInfo
    {
        internal Thread? Opener { get; set; }

        internal StackTrace? OpenerStack { get; set; }

        internal SleepableSection? Section { get; set; }

        internal void Clear()
        {
            Section = null;
            Opener = null;
            OpenerStack = null;
        }
    }

    [StructLayout(LayoutKind.Sequential, Size = 128)]
    private struct Cell
    {
        /// <summary>0: closed. Otherwise the number read when the section opened.</summary>
        internal ulong Announced;

        /// <summary>Odd while the section is open. Closing is a compare-exchange on it, so that one closer wins.</summary>
        internal ulong Generation;

        internal uint NextFree;

        internal int Stripe;
    }
}
