// A direct-mapped cache of one device: its IOTLB, or its cache of table addresses. It goes stale until it is invalidated.
using System.Runtime.CompilerServices;

namespace IommuRcu.Emulation;

/// <summary>Entries of a tag and a value, read and written by any thread without a lock.</summary>
/// <remarks>
/// <para>A tag is a key shifted left by one, plus 1; 0 is empty, and 2 stands for an entry that is being written.</para>
/// <para>Writing: the tag is claimed by compare-exchange, the value stored, the tag stored with a full fence, and then the sequence of the context is
/// read again. An invalidation raises the sequence before it sweeps. So either the writer sees that it was overtaken and takes its entry back - while its
/// own DMA is still in flight, which the invalidation waits for -, or the sweep sees the entry.</para>
/// <para>Reading: tag, value, tag. The value is between two equal tags, so it is one that was stored for that tag.</para>
/// </remarks>
internal sealed class TranslationCache
{
    private const ulong Empty = 0;
    private const ulong Claimed = 2;

    private readonly ulong[] _words;
    private readonly ulong _mask;

    internal TranslationCache(int entries)
    {
        _words = new ulong[2 * entries];
        _mask = (ulong)entries - 1;
    }

    internal int Entries => _words.Length / 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TryGet(ulong key, out ulong value)
    {
        ref ulong tag = ref TagOf(key);
        ulong wanted = (key << 1) | 1;
        if (Volatile.Read(ref tag) == wanted)
        {
            value = Volatile.Read(ref Unsafe.Add(ref tag, 1));
            return Volatile.Read(ref tag) == wanted;
        }

        value = 0;
        return false;
    }

    /// <summary>Stores an entry that was walked while <paramref name="sequence"/> had the value <paramref name="seen"/>, unless an invalidation came since.</summary>
    internal void Put(ulong key, ulong value, ref long sequence, long seen, bool evenIfOvertaken = false)
    {
        ref ulong tag = ref TagOf(key);
        ulong old = Volatile.Read(ref tag);
        if (old == Claimed || Interlocked.CompareExchange(ref tag, Claimed, old) != old)
        {
            // Another thread writes this entry: caches may forget.
            return;
        }

        Volatile.Write(ref Unsafe.Add(ref tag, 1), value);
        ulong mine = (key << 1) | 1;

        // A full fence between this store and the read of the sequence; pairs with the one between the raise of the sequence and the sweep.
        Interlocked.Exchange(ref tag, mine);
        if (Volatile.Read(ref sequence) != seen && !evenIfOvertaken)
        {
            Interlocked.CompareExchange(ref tag, Empty, mine);
        }
    }

    /// <summary>Removes the entries of keys from first to last.</summary>
    internal void Remove(ulong first, ulong last)
    {
        if (last - first < (ulong)Entries)
        {
            for (ulong key = first; ; key++)
            {
                RemoveIf(ref TagOf(key), (key << 1) | 1, (key << 1) | 1);
                if (key == last)
                {
                    return;
                }
            }
        }

        for (int i = 0; i < _words.Length; i += 2)
        {
            RemoveIf(ref _words[i], (first << 1) | 1, (last << 1) | 1);
        }
    }

    private static void RemoveIf(ref ulong tag, ulong first, ulong last)
    {
        ulong found = Volatile.Read(ref tag);
        if ((found & 1) != 0 && found >= first && found <= last)
        {
            // If it changed meanwhile, its writer looks at the sequence after this sweep began, and takes it back.
            Interlocked.CompareExchange(ref tag, Empty, found);
        }
    }

    // Inside the array: the mask is its number of entries - 1.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref ulong TagOf(ulong key) => ref _words[(int)(2 * (key & _mask))];
}
