// What torture readers look at: an element that is poisoned when its grace period is said to be over.
using System.Runtime.InteropServices;

namespace IommuRcu.Tests.Synchronization;

/// <summary>An element in unmanaged memory that is never really freed, so that a broken protocol is seen and not crashed on.</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal unsafe struct TortureElement
{
    internal const ulong Live = 0x6C69_7665_6C69_7665;
    internal const ulong Poison = 0xDEAD_DEAD_DEAD_DEAD;

    internal RcuHead Head;
    internal ulong Magic;
    internal ulong Stamp;
    internal nint Pool;
}

/// <summary>The elements of one run: those in use and those free.</summary>
internal sealed unsafe class TorturePool : IDisposable
{
    private readonly TortureElement* _elements;
    private readonly TortureElement** _cells;
    private readonly Stack<nint> _free = new();
    private GCHandle _self;
    private ulong _stamp;

    internal TorturePool(int cells, int elements)
    {
        CellCount = cells;
        ElementCount = elements;
        _self = GCHandle.Alloc(this);
        _elements = (TortureElement*)NativeMemory.AlignedAlloc((nuint)(elements * sizeof(TortureElement)), 128);
        NativeMemory.Clear(_elements, (nuint)(elements * sizeof(TortureElement)));
        _cells = (TortureElement**)NativeMemory.AllocZeroed((nuint)cells, (nuint)sizeof(TortureElement*));
        for (int i = 0; i < elements; i++)
        {
            _elements[i].Pool = GCHandle.ToIntPtr(_self);
            _elements[i].Magic = TortureElement.Poison;
            _free.Push((nint)(_elements + i));
        }

        for (int i = 0; i < cells; i++)
        {
            _cells[i] = TakeFree();
        }
    }

    internal int CellCount { get; }

    internal int ElementCount { get; }

    internal int FreeCount
    {
        get
        {
            lock (_free)
            {
                return _free.Count;
            }
        }
    }

    public void Dispose()
    {
        _self.Free();
        NativeMemory.AlignedFree(_elements);
        NativeMemory.Free(_cells);
    }

    /// <summary>Publishes a fresh element and gives the one that it replaced; null when none is free.</summary>
    internal TortureElement* Replace(int cell)
    {
        TortureElement* fresh = TakeFree();
        return fresh == null ? null : Rcu.Exchange(ref _cells[cell], fresh);
    }

    /// <summary>The element that a reader sees in a cell.</summary>
    internal TortureElement* Read(int cell) => Rcu.Dereference(_cells + cell);

    /// <summary>Poisons an element whose grace period is over, and gives it back.</summary>
    internal void Reclaim(TortureElement* element)
    {
        Volatile.Write(ref element->Magic, TortureElement.Poison);
        lock (_free)
        {
            _free.Push((nint)element);
        }
    }

    internal static void ReclaimCallback(RcuHead* head)
    {
        var element = (TortureElement*)head;
        ((TorturePool)GCHandle.FromIntPtr(element->Pool).Target!).Reclaim(element);
    }

    /// <summary>What is wrong with an element that a reader stands on; null when all is well.</summary>
    internal static string? Fault(TortureElement* element, ulong stamp)
    {
        ulong magic = Volatile.Read(ref element->Magic);
        ulong now = Volatile.Read(ref element->Stamp);
        return magic != TortureElement.Live ? $"magic {magic:X}" : now != stamp ? $"stamp {stamp} became {now}" : null;
    }

    private TortureElement* TakeFree()
    {
        lock (_free)
        {
            if (!_free.TryPop(out nint free))
            {
                return null;
            }

            var element = (TortureElement*)free;
            Volatile.Write(ref element->Stamp, ++_stamp);
            Volatile.Write(ref element->Magic, TortureElement.Live);
            return element;
        }
    }
}
