// A format that somebody else wrote: the emulated hardware has nothing to go by but what the format says of itself.
using System.Runtime.CompilerServices;

namespace IommuRcu.Emulation;

/// <summary>Reads entries by the format's own statement. A mistake in it is one that this hardware shares.</summary>
internal readonly struct StatedDecoder<TFormat> : IEntryDecoder
    where TFormat : struct, IPageTableFormat
{
    public static int GranuleLog2 => TFormat.GranuleLog2;

    public static bool SignExtended => TFormat.SignExtended;

    public static ulong TableTouch => TFormat.TableAccessedMask;

    public static bool RunsHoldOwnAddresses => !TFormat.RunsAreIdentical;

    public static int RootIndexBits(int addressBits, int levels)
        => TFormat.TryGetGeometry(addressBits, out PageTableGeometry geometry) && geometry.Levels == levels
            ? geometry.RootIndexBits
            : TFormat.GranuleLog2 - 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static DecodedEntry Decode(ulong entry, int level)
        => level > 0 && TFormat.IsTable(entry, level) ? DecodedEntry.Table(TFormat.TableAddress(entry), level - 1)
            : TFormat.IsLeaf(entry, level)
                ? DecodedEntry.Leaf(TFormat.LeafAddress(entry), TFormat.LeafSizeLog2(entry, level), (ulong)TFormat.Access(entry, level) & 3)
                : DecodedEntry.Hole;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Touch(ulong entry, bool write)
        => write ? TFormat.WithDirty(entry | TFormat.AccessedMask) : entry | TFormat.AccessedMask;
}
