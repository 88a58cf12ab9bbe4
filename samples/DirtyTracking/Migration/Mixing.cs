// Cheap random numbers that any thread can have from a seed.
using System.Runtime.CompilerServices;

namespace DirtyTracking.Migration;

/// <summary>SplitMix64: as a generator, and as a hash.</summary>
internal static class Mixing
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Next(ref ulong state) => Hash(state += 0x9E37_79B9_7F4A_7C15);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong Hash(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }

    /// <summary>A number below <paramref name="limit"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Below(ref ulong state, int limit) => (int)(((Next(ref state) >> 32) * (ulong)limit) >> 32);
}
