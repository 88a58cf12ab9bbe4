// A list in unmanaged memory: made, published, walked, unlinked and freed, all by pointers.
using System.Runtime.InteropServices;
using IommuRcu;
using IommuRcu.Annotations;

namespace ValidCode;

internal sealed unsafe class RawPointers
{
    private readonly Lock _lock = new();
    [RcuProtected(Lock = nameof(_lock))] private Entry* _head;
    [RcuProtected(Lock = nameof(_lock))] private ulong* _bitmap;

    public void Add(int key)
    {
        var entry = (Entry*)NativeMemory.AllocZeroed((nuint)sizeof(Entry));
        entry->Key = key;
        lock (_lock)
        {
            entry->Next = Rcu.DereferenceProtected(ref _head);
            Rcu.Assign(ref _head, entry);
        }
    }

    public bool Contains(int key)
    {
        using (Rcu.ReadLock())
        {
            for (Entry* entry = Rcu.Dereference(ref _head); entry != null; entry = Rcu.Dereference(&entry->Next))
            {
                if (entry->Key == key)
                {
                    return true;
                }
            }

            return false;
        }
    }

    public Entry First()
    {
        Entry copy = default;
        using (Rcu.ReadLock())
        {
            Entry* entry = Rcu.Dereference(ref _head);
            if (entry != null)
            {
                copy.Key = entry->Key;
            }
        }

        return copy;
    }

    public bool RemoveFirst()
    {
        lock (_lock)
        {
            Entry* entry = Rcu.DereferenceProtected(ref _head);
            if (entry == null)
            {
                return false;
            }

            Rcu.Assign(ref _head, Rcu.DereferenceProtected(ref entry->Next));
            Rcu.Free(entry);
            return true;
        }
    }

    public int CountBits(int words)
    {
        using (Rcu.ReadLock())
        {
            int count = 0;
            ulong* word = Rcu.Dereference(ref _bitmap);
            for (ulong* end = word + words; word < end; word++)
            {
                count += System.Numerics.BitOperations.PopCount(*word);
            }

            return count;
        }
    }

    public ulong Word(int index)
    {
        ulong word;
        using (Rcu.ReadLock())
        {
            word = new ReadOnlySpan<ulong>(Rcu.Dereference(ref _bitmap), 512)[index];
        }

        return word & 0xFF;
    }

    public void Grow(int words)
    {
        var larger = (ulong*)NativeMemory.AllocZeroed((nuint)words, sizeof(ulong));
        larger[0] = 1;
        ulong* old = Rcu.Exchange(ref _bitmap, larger);
        Rcu.Synchronize();
        NativeMemory.Free(old);
    }

    internal struct Entry
    {
        public int Key;
        [RcuProtected] public Entry* Next;
    }
}
