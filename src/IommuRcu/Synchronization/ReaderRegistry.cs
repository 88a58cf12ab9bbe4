// Which threads read: gives slots out, finds those of dead threads, and lets a waiter walk all of them.
using System.Diagnostics;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace IommuRcu;

/// <summary>All reader slots of the process.</summary>
/// <remarks>
/// Slots lie in chunks that double in size and are never freed. Giving a slot out takes a lock; scanning takes none: a thread publishes its
/// chunk and the new count before it announces its first section, in program order. Whatever point of that order the waiter's process-wide
/// barrier hits, either all of it is visible to the scan that follows, or the section begins after the barrier and need not be waited for.
/// </remarks>
internal static unsafe partial class ReaderRegistry
{
    private const int FirstChunkLog2 = 4;
    private const int MaxChunks = 27; // 2^31 slots: more threads than a process can have

    private static readonly object _lock = new();
    private static readonly ReaderSlot** _chunks = AllocateChunkTable();

    // Managed twins of the slots, by index. Replaced by a larger copy under the lock; read without it.
    private static SlotOwner?[] _owners = new SlotOwner?[1 << FirstChunkLog2];
    private static readonly Stack<int> _free = new();
    private static int _used;
    private static int _sweepAt = 1 << FirstChunkLog2;
    private static ulong _diedInSection;

    /// <summary>Slots ever given out: indices below this exist.</summary>
    internal static int Used => Volatile.Read(ref _used);

    /// <summary>Threads that ended inside a section.</summary>
    internal static ulong DiedInSection => Volatile.Read(ref _diedInSection);

    /// <summary>Living threads that have a slot.</summary>
    internal static int CountLiving()
    {
        using (Gate.Enter(_lock))
        {
            Sweep();
            return _used - _free.Count;
        }
    }

    /// <summary>Callbacks that all threads together have queued.</summary>
    internal static ulong CountQueued()
    {
        ulong sum = 0;
        for (int i = 0; i < Used; i++)
        {
            sum += Volatile.Read(ref SlotAt(i)->Queued);
        }

        return sum;
    }

    /// <summary>How many of those have run.</summary>
    internal static ulong CountRun()
    {
        ulong sum = 0;
        for (int i = 0; i < Used; i++)
        {
            sum += Volatile.Read(ref SlotAt(i)->Done);
        }

        return sum;
    }

    /// <summary>The slot with this index, which must be below <see cref="Used"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ReaderSlot* SlotAt(int index)
    {
        // Chunk c holds 16 << c slots, beginning at index (16 << c) - 16.
        uint shifted = (uint)index + (1u << FirstChunkLog2);
        int chunk = BitOperations.Log2(shifted) - FirstChunkLog2;
        return _chunks[chunk] + (shifted - (1u << (chunk + FirstChunkLog2)));
    }

    /// <summary>Gives the calling thread its slot.</summary>
    internal static ReaderSlot* Register()
    {
        ProcessWideBarrier.Require();
        if (CurrentReader.Slot != null)
        {
            return CurrentReader.Slot; // a listener that was just told of the instruments has read
        }

        // Allocated first: nothing below the taking of an index may throw.
        var owner = new SlotOwner(Thread.CurrentThread);
        ReaderSlot* slot;
        using (Gate.Enter(_lock))
        {
            if (_free.Count == 0 && _used >= _sweepAt)
            {
                Sweep();

                // The next sweep comes after as many registrations as threads live now: the cost for each is constant.
                _sweepAt = Math.Max(1 << FirstChunkLog2, 2 * (_used - _free.Count));
            }

            int index = TestHooks.ReusedSlot >= 0 ? TestHooks.ReusedSlot : _free.Count > 0 ? _free.Pop() : Extend();
            slot = SlotAt(index);
            if (TestHooks.ReusedSlot >= 0)
            {
                Volatile.Write(ref slot->Announced, 0); // as if its owner had died
            }

            Volatile.Write(ref _owners[index], owner);

            // 0 means "no section". A grace period that began before the first reader has advanced the number already.
            Interlocked.CompareExchange(ref GracePeriodNumber.Current, 1, 0);
            if (RecordsOpeners)
            {
                Arm(slot);
            }
        }

        CurrentReader.Slot = slot;
        return slot;
    }

    /// <summary>The thread that owns the slot, or owned it last.</summary>
    internal static SlotOwner? OwnerOf(int index)
    {
        SlotOwner?[] owners = Volatile.Read(ref _owners);
        return (uint)index < (uint)owners.Length ? Volatile.Read(ref owners[index]) : null;
    }

    /// <summary>Gives back the slot of a thread that has ended; false while it lives.</summary>
    internal static bool TryReap(int index)
    {
        using (Gate.Enter(_lock))
        {
            return TryReapLocked(index);
        }
    }

    private static bool TryReapLocked(int index)
    {
        SlotOwner? owner = _owners[index];
        if (owner == null || owner.Thread.IsAlive)
        {
            return false;
        }

        // The thread is gone: nothing of its program order is still to come, and this barrier orders what it wrote before what we write.
        Interlocked.MemoryBarrier();
        ReaderSlot* slot = SlotAt(index);
        bool inSection = slot->InSection;
        slot->Extra = 0;
        slot->Proving = false;
        Volatile.Write(ref slot->Announced, 0);
        Volatile.Write(ref _owners[index], null);

        // Callbacks that it queued stay in the slot and are run like all others; the next owner queues behind them.
        _free.Push(index);
        if (inSection)
        {
            _diedInSection++;
            StallReports.ReportEnded("Rcu", owner.Thread, owner.Opener);
        }

        return true;
    }

    private static void Sweep()
    {
        for (int i = 0; i < _used; i++)
        {
            TryReapLocked(i);
        }
    }

    private static int Extend()
    {
        int index = _used;
        uint shifted = (uint)index + (1u << FirstChunkLog2);
        int chunk = BitOperations.Log2(shifted) - FirstChunkLog2;
        if (_chunks[chunk] == null)
        {
            nuint slots = (nuint)1 << (chunk + FirstChunkLog2);
            void* memory = NativeMemory.AlignedAlloc(slots * ReaderSlot.SlotSize, 128);
            NativeMemory.Clear(memory, slots * ReaderSlot.SlotSize);
            Volatile.Write(ref *(nint*)(_chunks + chunk), (nint)memory);
        }

        _free.EnsureCapacity(index + 1); // giving a slot back allocates nothing
        if (index == _owners.Length)
        {
            SlotOwner?[] larger = new SlotOwner?[2 * index];
            Array.Copy(_owners, larger, index);
            Volatile.Write(ref _owners, larger);
        }

        SlotAt(index)->Index = index;
        Volatile.Write(ref _used, index + 1); // the chunk and the slot before the count that lets a scan reach them
        return index;
    }

    private static ReaderSlot** AllocateChunkTable()
    {
        Debug.Assert(sizeof(ReaderSlot) == ReaderSlot.SlotSize);
        return (ReaderSlot**)NativeMemory.AllocZeroed(MaxChunks, (nuint)sizeof(ReaderSlot*));
    }
}

/// <summary>The managed half of a slot: whose it is.</summary>
internal sealed class SlotOwner(Thread thread)
{
    // The name is read when it is asked for: a thread may be named after its first section.
    internal Thread Thread { get; } = thread;

    /// <summary>Where the open section was opened, if stacks are recorded.</summary>
    internal StackTrace? Opener { get; set; }
}
