// A range of physical addresses, held by its inclusive last address so that one ending at 2^64 can be told.
namespace IommuRcu.Memory;

/// <summary>A range of physical addresses, in bytes, both ends included.</summary>
/// <param name="First">The first address of the range.</param>
/// <param name="Last">The last address of the range, itself part of it.</param>
public readonly record struct PhysicalRange(PhysicalAddress First, PhysicalAddress Last)
{
    /// <summary>Makes a range from its first address and its size.</summary>
    /// <param name="first">The first address of the range.</param>
    /// <param name="size">The size in bytes, not 0.</param>
    /// <returns>The range.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is 0, or the range runs past 2^64.</exception>
    public static PhysicalRange OfSize(PhysicalAddress first, ulong size)
    {
        if (size == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(size), "A range holds at least one byte.");
        }

        if (first.Value + (size - 1) < first.Value)
        {
            throw new ArgumentOutOfRangeException(nameof(size), $"A range of {size} bytes from {first} runs past 2^64.");
        }

        return new PhysicalRange(first, first + (size - 1));
    }

    /// <summary>Tells whether an address lies in the range.</summary>
    /// <param name="address">The address asked for.</param>
    /// <returns><see langword="true"/> if it does.</returns>
    public bool Contains(PhysicalAddress address) => address >= First && address <= Last;

    /// <summary>Returns the range as <c>[0x…, 0x…]</c>, both ends included.</summary>
    public override string ToString() => $"[{First}, {Last}]";
}
