// Which granules of an IOVA range are dirty: what a scan reports and what a copy loop works from.
using System.Numerics;

namespace IommuRcu;

/// <summary>A bitmap of dirty granules over a range of IOVAs.</summary>
/// <remarks>
/// The granule may be smaller or larger than the pages that are mapped, and the range may begin anywhere: a dirty page sets every granule that it touches,
/// and what lies outside the range is ignored. Setting is safe from several threads at once, and against readers; <see cref="Clear()"/> and
/// <see cref="TakeFrom"/> belong to one thread at a time for each bitmap.
/// </remarks>
public sealed partial class DirtyBitmap
{
    private readonly ulong[] _words;
    private readonly ulong _last;

    /// <summary>Creates a bitmap with nothing dirty.</summary>
    /// <param name="start">The first IOVA of the range: where granule 0 begins.</param>
    /// <param name="size">The size of the range in bytes, above 0.</param>
    /// <param name="granuleLog2">log2 of the granule in bytes, 0 to 62.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is 0, the range passes 2^64, the granule is not valid, or there would be more than 2^37 granules.</exception>
    public DirtyBitmap(Iova start, ulong size, int granuleLog2 = 12)
    {
        ArgumentOutOfRangeException.ThrowIfZero(size);
        ArgumentOutOfRangeException.ThrowIfNegative(granuleLog2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(granuleLog2, 62);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size - 1, ulong.MaxValue - start.Value, nameof(size));
        ulong granules = ((size - 1) >> granuleLog2) + 1;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(granules, 1UL << 37, nameof(size));
        Start = start;
        Size = size;
        GranuleLog2 = granuleLog2;
        Granules = (long)granules;
        _last = start.Value + (size - 1);
        _words = new ulong[(granules + 63) / 64];
    }

    /// <summary>Gets the first IOVA of the range.</summary>
    public Iova Start { get; }

    /// <summary>Gets the size of the range in bytes.</summary>
    public ulong Size { get; }

    internal ulong Last => _last;

    /// <summary>Gets log2 of the granule in bytes.</summary>
    public int GranuleLog2 { get; }

    /// <summary>Gets the number of granules in the range.</summary>
    public long Granules { get; }

    /// <summary>Counts the granules that are dirty.</summary>
    public long Count
    {
        get
        {
            long count = 0;
            foreach (ref ulong word in _words.AsSpan())
            {
                count += BitOperations.PopCount(Volatile.Read(ref word));
            }

            return count;
        }
    }

    /// <summary>Gets whether nothing is dirty.</summary>
    public bool IsEmpty
    {
        get
        {
            foreach (ref ulong word in _words.AsSpan())
            {
                if (Volatile.Read(ref word) != 0)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Gets whether the granule that holds an address is dirty; <see langword="false"/> outside the range.</summary>
    /// <param name="iova">The address.</param>
    public bool this[Iova iova] => IsDirty(iova);

    /// <summary>Says whether the granule that holds an address is dirty; <see langword="false"/> outside the range.</summary>
    /// <param name="iova">The address.</param>
    public bool IsDirty(Iova iova)
    {
        if (iova < Start || iova.Value > _last)
        {
            return false;
        }

        ulong granule = (iova.Value - Start.Value) >> GranuleLog2;
        return (Volatile.Read(ref _words[granule >> 6]) & (1UL << (int)(granule & 63))) != 0;
    }

    /// <summary>Marks every granule that a range touches as dirty. What lies outside the bitmap's range is ignored.</summary>
    /// <param name="iova">The first address.</param>
    /// <param name="size">The size in bytes; 0 marks nothing.</param>
    public void Set(Iova iova, ulong size)
    {
        if (size == 0)
        {
            return;
        }

        ulong last = size - 1 > ulong.MaxValue - iova.Value ? ulong.MaxValue : iova.Value + (size - 1);
        if (iova.Value > _last || last < Start.Value)
        {
            return;
        }

        ulong from = (Math.Max(iova.Value, Start.Value) - Start.Value) >> GranuleLog2;
        ulong to = (Math.Min(last, _last) - Start.Value) >> GranuleLog2;
        for (ulong word = from >> 6; word <= to >> 6; word++)
        {
            ulong bits = ulong.MaxValue;
            if (word == from >> 6)
            {
                bits &= ulong.MaxValue << (int)(from & 63);
            }

            if (word == to >> 6)
            {
                bits &= ulong.MaxValue >> (63 - (int)(to & 63));
            }

            Or(word, bits);
        }
    }

    /// <summary>Marks everything as clean.</summary>
    public void Clear() => Array.Clear(_words);

    /// <summary>Moves what is dirty in another bitmap of the same range and granule into this one, and leaves the other clean.</summary>
    /// <param name="other">The other bitmap; granules that are set in it meanwhile are moved or stay, and are never lost.</param>
    /// <exception cref="ArgumentException">The bitmaps differ in range or granule.</exception>
    public void TakeFrom(DirtyBitmap other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Start != Start || other.Size != Size || other.GranuleLog2 != GranuleLog2)
        {
            throw new ArgumentException("The bitmaps differ in range or granule.", nameof(other));
        }

        for (int i = 0; i < _words.Length; i++)
        {
            if (Volatile.Read(ref other._words[i]) != 0)
            {
                Or((ulong)i, Interlocked.Exchange(ref other._words[i], 0));
            }
        }
    }

    /// <summary>Enumerates the runs of dirty granules, from the lowest. A run's last address is clipped to the bitmap's range.</summary>
    public RunEnumerator GetEnumerator() => new(this);

    /// <summary>Marks up to 64 granules, given as bits; the first is the granule that begins at an address, and all lie in the range.</summary>
    internal void SetGranules(Iova iova, ulong bits)
    {
        ulong granule = (iova.Value - Start.Value) >> GranuleLog2;
        int shift = (int)(granule & 63);
        Or(granule >> 6, bits << shift);
        if (shift != 0 && bits >> (64 - shift) != 0)
        {
            Or((granule >> 6) + 1, bits >> (64 - shift));
        }
    }

    // One word at a time, so that a scan that collects 64 granules pays for one locked instruction.
    internal void Or(ulong word, ulong bits)
    {
        ref ulong location = ref _words[word];
        if ((Volatile.Read(ref location) & bits) != bits)
        {
            Interlocked.Or(ref location, bits);
        }
    }

    /// <summary>Enumerates runs of dirty granules.</summary>
    public struct RunEnumerator
    {
        private readonly DirtyBitmap _bitmap;
        private long _next;

        internal RunEnumerator(DirtyBitmap bitmap)
        {
            _bitmap = bitmap;
            _next = 0;
            Current = default;
        }

        /// <summary>Gets the run of dirty granules found last.</summary>
        public IovaRange Current { get; private set; }

        /// <summary>Finds the next run.</summary>
        /// <returns><see langword="false"/> when there is none.</returns>
        public bool MoveNext()
        {
            long first = _bitmap.Find(_next, set: true);
            if (first >= _bitmap.Granules)
            {
                _next = _bitmap.Granules;
                return false;
            }

            _next = _bitmap.Find(first + 1, set: false);
            ulong start = _bitmap.Start.Value;
            ulong last = Math.Min(_bitmap._last - start, ((ulong)(_next - 1) << _bitmap.GranuleLog2) + ((1UL << _bitmap.GranuleLog2) - 1));
            Current = new IovaRange(new Iova(start + ((ulong)first << _bitmap.GranuleLog2)), new Iova(start + last));
            return true;
        }
    }

    private long Find(long from, bool set)
    {
        for (long granule = from; granule < Granules; granule = (granule | 63) + 1)
        {
            ulong word = Volatile.Read(ref _words[granule >> 6]);
            word = (set ? word : ~word) & (ulong.MaxValue << (int)(granule & 63));
            if (word != 0)
            {
                return Math.Min(Granules, (granule & ~63L) + BitOperations.TrailingZeroCount(word));
            }
        }

        return Granules;
    }
}
