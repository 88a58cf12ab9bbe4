// A range of IOVAs, held by its last address so that one ending at 2^64 can be said.
namespace IommuRcu;

/// <summary>A non-empty range of IOVAs.</summary>
/// <param name="First">The first address in the range.</param>
/// <param name="Last">The last address in the range, not the one after it.</param>
public readonly record struct IovaRange(Iova First, Iova Last)
{
    /// <summary>Gets the number of bytes in the range; 0 stands for 2^64.</summary>
    public ulong Size => unchecked(Last.Value - First.Value + 1);

    /// <summary>Says whether an address is in the range.</summary>
    /// <param name="iova">The address.</param>
    public bool Contains(Iova iova) => iova >= First && iova <= Last;

    /// <summary>Says whether two ranges have an address in common.</summary>
    /// <param name="other">The other range.</param>
    public bool Overlaps(IovaRange other) => First <= other.Last && other.First <= Last;

    /// <summary>Returns the range as <c>0x…-0x…</c>, in hexadecimal.</summary>
    public override string ToString() => $"{First}-{Last}";
}
