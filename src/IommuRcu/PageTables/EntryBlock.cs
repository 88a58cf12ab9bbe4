// Operations on runs of entries in one table, as wide as the processor's vectors.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace IommuRcu;

/// <summary>Fills, clears, counts and compares runs of 64-bit entries.</summary>
/// <remarks>
/// <para>
/// Atomicity relied on: each 64-bit entry is stored and loaded as a whole, whatever the width of the instruction. Runs start at an address aligned to 8 bytes,
/// and the vector parts at one aligned to the vector's size, so that no vector crosses a cache line. On x64, Intel (SDM volume 3, 9.1.1) and AMD (APM volume 2, 7.3.2)
/// guarantee it for aligned 16-byte accesses where AVX is present; wider accesses are carried out by whole lines or halves of them on every processor that has them,
/// and never split an aligned quadword. On ARM64 (DDI 0487, B2.2.1) an aligned 128-bit vector access is two single-copy atomic 64-bit ones at least.
/// </para>
/// <para>Order relied on: none among the entries of a run. Callers close a run with a release store or a fence.</para>
/// </remarks>
internal static unsafe class EntryBlock
{
    /// <summary>The size of a cache line in bytes: of eight entries, and of the widest vector.</summary>
    internal const int Line = 64;

    /// <summary>Stores first, first + step, first + 2 x step and so on. The last entry is stored last, with release: whoever must be ordered after the run is.</summary>
    internal static void Fill(ulong* entries, int count, ulong first, ulong step)
    {
        int i = 0;
        int vectors = count - 1;
        if (vectors >= 16)
        {
            if (Vector512.IsHardwareAccelerated)
            {
                for (; ((nuint)(entries + i) & 63) != 0; i++)
                {
                    entries[i] = first + ((ulong)i * step);
                }

                Vector512<ulong> value = Vector512.Create(first + ((ulong)i * step))
                    + (Vector512.Create(0UL, 1, 2, 3, 4, 5, 6, 7) * Vector512.Create(step));
                Vector512<ulong> next = Vector512.Create(8 * step);
                for (; i <= vectors - 8; i += 8)
                {
                    value.StoreAligned(entries + i);
                    value += next;
                }
            }
            else if (Vector256.IsHardwareAccelerated)
            {
                for (; ((nuint)(entries + i) & 31) != 0; i++)
                {
                    entries[i] = first + ((ulong)i * step);
                }

                ulong from = first + ((ulong)i * step);
                Vector256<ulong> value = Vector256.Create(from, from + step, from + (2 * step), from + (3 * step));
                Vector256<ulong> next = Vector256.Create(4 * step);
                for (; i <= vectors - 4; i += 4)
                {
                    value.StoreAligned(entries + i);
                    value += next;
                }
            }
            else if (Vector128.IsHardwareAccelerated)
            {
                for (; ((nuint)(entries + i) & 15) != 0; i++)
                {
                    entries[i] = first + ((ulong)i * step);
                }

                ulong from = first + ((ulong)i * step);
                Vector128<ulong> value = Vector128.Create(from, from + step);
                Vector128<ulong> next = Vector128.Create(2 * step);
                for (; i <= vectors - 2; i += 2)
                {
                    value.StoreAligned(entries + i);
                    value += next;
                }
            }
        }

        for (; i < vectors; i++)
        {
            Volatile.Write(ref entries[i], first + ((ulong)i * step));
        }

        Volatile.Write(ref entries[vectors], first + ((ulong)vectors * step));
    }

    /// <summary>Clears a run and returns how many of its entries were not zero. The run is its caller's: only accessed and dirty bits may change meanwhile.</summary>
    internal static int Clear(ulong* entries, int count)
    {
        int i = 0;
        int cleared = 0;
        if (count >= 16)
        {
            if (Vector512.IsHardwareAccelerated)
            {
                for (; ((nuint)(entries + i) & 63) != 0; i++)
                {
                    cleared += ClearOne(entries + i);
                }

                for (; i <= count - 8; i += 8)
                {
                    cleared += 8 - BitOperations.PopCount((uint)Vector512.Equals(Vector512.LoadAligned(entries + i), default).ExtractMostSignificantBits());
                    default(Vector512<ulong>).StoreAligned(entries + i);
                }
            }
            else if (Vector256.IsHardwareAccelerated)
            {
                for (; ((nuint)(entries + i) & 31) != 0; i++)
                {
                    cleared += ClearOne(entries + i);
                }

                for (; i <= count - 4; i += 4)
                {
                    cleared += 4 - BitOperations.PopCount(Vector256.Equals(Vector256.LoadAligned(entries + i), default).ExtractMostSignificantBits());
                    default(Vector256<ulong>).StoreAligned(entries + i);
                }
            }
        }

        for (; i < count; i++)
        {
            cleared += ClearOne(entries + i);
        }

        return cleared;
    }

    /// <summary>Counts the entries of a run that are not zero.</summary>
    internal static int CountUsed(ulong* entries, int count)
    {
        int i = 0;
        int used = 0;
        for (; i < count && ((nuint)(entries + i) & (Line - 1)) != 0; i++)
        {
            used += Volatile.Read(ref entries[i]) != 0 ? 1 : 0;
        }

        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - 8; i += 8)
            {
                used += 8 - BitOperations.PopCount((uint)Vector512.Equals(Vector512.LoadAligned(entries + i), default).ExtractMostSignificantBits());
            }
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= count - 4; i += 4)
            {
                used += 4 - BitOperations.PopCount(Vector256.Equals(Vector256.LoadAligned(entries + i), default).ExtractMostSignificantBits());
            }
        }

        for (; i < count; i++)
        {
            used += Volatile.Read(ref entries[i]) != 0 ? 1 : 0;
        }

        return used;
    }

    /// <summary>Says whether any of the eight entries of a cache line is not zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool IsLineUsed(ulong* line)
    {
        if (Vector512.IsHardwareAccelerated)
        {
            return Vector512.LoadAligned(line) != default;
        }

        if (Vector256.IsHardwareAccelerated)
        {
            return (Vector256.LoadAligned(line) | Vector256.LoadAligned(line + 4)) != default;
        }

        return ((Volatile.Read(ref line[0]) | Volatile.Read(ref line[1]) | Volatile.Read(ref line[2]) | Volatile.Read(ref line[3]))
            | (Volatile.Read(ref line[4]) | Volatile.Read(ref line[5]) | Volatile.Read(ref line[6]) | Volatile.Read(ref line[7]))) != 0;
    }

    /// <summary>Returns the index of the first entry that is not zero, or -1.</summary>
    internal static int FindUsed(ulong* entries, int count)
    {
        int i = 0;
        for (; i < count && ((nuint)(entries + i) & (Line - 1)) != 0; i++)
        {
            if (Volatile.Read(ref entries[i]) != 0)
            {
                return i;
            }
        }

        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - 16; i += 16)
            {
                if ((Vector512.LoadAligned(entries + i) | Vector512.LoadAligned(entries + i + 8)) != default)
                {
                    break;
                }
            }
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            for (; i <= count - 8; i += 8)
            {
                if ((Vector256.LoadAligned(entries + i) | Vector256.LoadAligned(entries + i + 4)) != default)
                {
                    break;
                }
            }
        }
        else if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= count - 4; i += 4)
            {
                if ((Vector128.LoadAligned(entries + i) | Vector128.LoadAligned(entries + i + 2)) != default)
                {
                    break;
                }
            }
        }

        for (; i < count; i++)
        {
            if (Volatile.Read(ref entries[i]) != 0)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Returns for 64 entries, at an address aligned to a cache line, one bit each: whether the bits under a mask have a value.</summary>
    /// <remarks>
    /// Devices and mappers change the entries meanwhile, so a test of an entry must be of a value that it had: a torn one could hide a dirty page. The aligned loads
    /// below never tear an entry. x64: an aligned 16-byte load is atomic where AVX is present, and one of 32 or 64 bytes within a line is carried out by aligned halves of
    /// it or as a whole. ARM64: an aligned 128-bit load is two 64-bit single-copy atomic ones. Elsewhere, one 64-bit load an entry.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Matches64(ulong* entries, ulong mask, ulong value)
    {
        ulong matches = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<ulong> masks = Vector512.Create(mask);
            Vector512<ulong> values = Vector512.Create(value);
            for (int i = 0; i < 64; i += 8)
            {
                matches |= (ulong)Vector512.Equals(Vector512.LoadAligned(entries + i) & masks, values).ExtractMostSignificantBits() << i;
            }
        }
        else if (Vector256.IsHardwareAccelerated)
        {
            Vector256<ulong> masks = Vector256.Create(mask);
            Vector256<ulong> values = Vector256.Create(value);
            for (int i = 0; i < 64; i += 4)
            {
                matches |= (ulong)Vector256.Equals(Vector256.LoadAligned(entries + i) & masks, values).ExtractMostSignificantBits() << i;
            }
        }
        else if (AdvSimd.Arm64.IsSupported)
        {
            Vector128<ulong> masks = Vector128.Create(mask);
            Vector128<ulong> values = Vector128.Create(value);
            for (int i = 0; i < 64; i += 2)
            {
                matches |= (ulong)Vector128.Equals(Vector128.LoadAligned(entries + i) & masks, values).ExtractMostSignificantBits() << i;
            }
        }
        else
        {
            for (int i = 0; i < 64; i++)
            {
                matches |= (Volatile.Read(ref entries[i]) & mask) == value ? 1UL << i : 0;
            }
        }

        return matches;
    }

    private static int ClearOne(ulong* entry)
    {
        int used = Volatile.Read(ref *entry) != 0 ? 1 : 0;
        Volatile.Write(ref *entry, 0);
        return used;
    }
}
