// How the emulated hardware reads an entry: its own statement of each format, apart from what the page-table engine writes by.
namespace IommuRcu.Emulation;

/// <summary>What hardware takes an entry for.</summary>
internal enum EntryKind
{
    /// <summary>It maps nothing.</summary>
    Hole,

    /// <summary>It leads to a lower table.</summary>
    Table,

    /// <summary>It maps a page.</summary>
    Leaf,

    /// <summary>It sets bits, or uses an encoding, that the specification reserves.</summary>
    Reserved,
}

/// <summary>What hardware reads out of one entry.</summary>
/// <param name="Kind">What it is. The other fields mean something for tables and leaves alone.</param>
/// <param name="Address">The physical address of the lower table, or of the page: bits below the page's size may be anything.</param>
/// <param name="Rights"><see cref="CanRead"/> and <see cref="CanWrite"/>: what it lets pass. Those of a leaf and of all tables above it are ANDed.</param>
/// <param name="Below">Of a table: the level of the table that it leads to. Of a leaf: log2 of the page's size in bytes.</param>
internal readonly record struct DecodedEntry(EntryKind Kind, ulong Address, ulong Rights, int Below)
{
    internal const ulong CanRead = 1;
    internal const ulong CanWrite = 2;

    internal static DecodedEntry Hole => default;

    internal static DecodedEntry Reserved => new(EntryKind.Reserved, 0, 0, 0);

    internal static DecodedEntry Table(ulong address, int level, ulong rights = CanRead | CanWrite) => new(EntryKind.Table, address, rights, level);

    internal static DecodedEntry Leaf(ulong address, int sizeLog2, ulong rights) => new(EntryKind.Leaf, address, rights, sizeLog2);
}

/// <summary>Reads entries of one format as hardware does.</summary>
/// <remarks>
/// Written from the specifications and from nothing else: no constant and no code is shared with <see cref="IPageTableFormat"/>'s implementations, so that a wrong
/// bit there is one that the emulated hardware does not understand. What a specification reserves is refused, where it lets hardware choose as well.
/// Levels are counted from the leaves: a table of level 0 holds pages of the granule.
/// </remarks>
internal interface IEntryDecoder
{
    /// <summary>Gets the smallest page, and the size of a table below the root, as log2 of bytes.</summary>
    static abstract int GranuleLog2 { get; }

    /// <summary>Gets whether bits of an IOVA above the width repeat its highest bit. Otherwise they are zero.</summary>
    static abstract bool SignExtended { get; }

    /// <summary>Gets the bits that hardware sets in a table entry that it walks through.</summary>
    static abstract ulong TableTouch { get; }

    /// <summary>Gets whether each entry of a contiguous run holds the address of its own part. Otherwise all hold the same.</summary>
    static virtual bool RunsHoldOwnAddresses => false;

    /// <summary>Returns log2 of the number of entries in a root.</summary>
    /// <param name="addressBits">The width of an IOVA in bits.</param>
    /// <param name="levels">The number of levels.</param>
    static abstract int RootIndexBits(int addressBits, int levels);

    /// <summary>Reads an entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="level">The level of the table that holds it.</param>
    static abstract DecodedEntry Decode(ulong entry, int level);

    /// <summary>Returns a leaf as hardware leaves it behind an access: accessed, and dirty after a write.</summary>
    /// <param name="entry">A leaf that permits the access.</param>
    /// <param name="write">Whether the access writes.</param>
    static abstract ulong Touch(ulong entry, bool write);
}
