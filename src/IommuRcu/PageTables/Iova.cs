// The two kinds of address. They are separate types so that an IOVA cannot be passed where a physical address is meant.
namespace IommuRcu;

/// <summary>An I/O virtual address: what a device puts on the bus, in bytes.</summary>
/// <param name="Value">The address in bytes.</param>
public readonly record struct Iova(ulong Value) : IComparable<Iova>
{
    /// <inheritdoc/>
    public int CompareTo(Iova other) => Value.CompareTo(other.Value);

    /// <summary>Returns the address as <c>0x…</c>, in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";

    /// <summary>Adds a distance in bytes.</summary>
    public static Iova operator +(Iova left, ulong right) => new(left.Value + right);

    /// <summary>Adds a distance in bytes.</summary>
    public Iova Add(ulong bytes) => this + bytes;

    /// <summary>Compares two addresses.</summary>
    public static bool operator <(Iova left, Iova right) => left.Value < right.Value;

    /// <summary>Compares two addresses.</summary>
    public static bool operator >(Iova left, Iova right) => left.Value > right.Value;

    /// <summary>Compares two addresses.</summary>
    public static bool operator <=(Iova left, Iova right) => left.Value <= right.Value;

    /// <summary>Compares two addresses.</summary>
    public static bool operator >=(Iova left, Iova right) => left.Value >= right.Value;
}

/// <summary>A physical address: what an entry of a page table holds, in bytes.</summary>
/// <param name="Value">The address in bytes.</param>
public readonly record struct PhysicalAddress(ulong Value) : IComparable<PhysicalAddress>
{
    /// <inheritdoc/>
    public int CompareTo(PhysicalAddress other) => Value.CompareTo(other.Value);

    /// <summary>Returns the address as <c>0x…</c>, in hexadecimal.</summary>
    public override string ToString() => $"0x{Value:x}";

    /// <summary>Adds a distance in bytes.</summary>
    public static PhysicalAddress operator +(PhysicalAddress left, ulong right) => new(left.Value + right);

    /// <summary>Adds a distance in bytes.</summary>
    public PhysicalAddress Add(ulong bytes) => this + bytes;

    /// <summary>Compares two addresses.</summary>
    public static bool operator <(PhysicalAddress left, PhysicalAddress right) => left.Value < right.Value;

    /// <summary>Compares two addresses.</summary>
    public static bool operator >(PhysicalAddress left, PhysicalAddress right) => left.Value > right.Value;

    /// <summary>Compares two addresses.</summary>
    public static bool operator <=(PhysicalAddress left, PhysicalAddress right) => left.Value <= right.Value;

    /// <summary>Compares two addresses.</summary>
    public static bool operator >=(PhysicalAddress left, PhysicalAddress right) => left.Value >= right.Value;
}
