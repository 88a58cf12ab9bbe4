// What a page-table format is to the engine: facts alone, given by static members, so that the JIT specialises the engine for each.
namespace IommuRcu;

/// <summary>
/// States the facts of one page-table format: geometry, and the meaning of a 64-bit little-endian entry. It holds no state and walks nothing.
/// </summary>
/// <remarks>
/// <para>
/// A format is an empty <see langword="struct"/>; <see cref="IommuDomain.Create{TFormat}(IommuDomainOptions)"/> builds a domain of it, the library's own
/// formats and a user's alike. Members must be pure, cheap and side-effect free: they are inlined into loops over entries and are called by several threads.
/// </para>
/// <para>
/// Levels are counted from the leaves: a table of level 0 holds leaves only; one item of a table of level <c>n</c> covers
/// <c>2^(GranuleLog2 + n x IndexBits)</c> bytes of IOVA, where <c>IndexBits = GranuleLog2 - 3</c>: below the root a table fills one granule.
/// </para>
/// <para>The engine relies on these rules:</para>
/// <list type="bullet">
/// <item>An entry of zero is a hole. Clearing an entry stores zero.</item>
/// <item>One 64-bit load decides what an entry is; nothing depends on a second entry, a contiguous run's size included.</item>
/// <item>A leaf is <c>LeafAttributes | AddressField(address)</c>, and the two never share a bit for an address that is aligned to the page's size.</item>
/// <item><see cref="AddressField"/> is linear: <c>AddressField(a + b) = AddressField(a) + AddressField(b)</c> for aligned addresses whose sum fits, carries included: neighbours are made by adding.</item>
/// <item>A leaf of 2^n bytes stands in the table of level <c>(n - GranuleLog2) / IndexBits</c>; what exceeds the level's item size is a contiguous run.</item>
/// </list>
/// </remarks>
public interface IPageTableFormat
{
    /// <summary>Gets the format's name, as its specification calls it.</summary>
    static abstract string Name { get; }

    /// <summary>Gets the smallest page, and the size of a table below the root, as log2 of bytes: 12, 14 or 16.</summary>
    static abstract int GranuleLog2 { get; }

    /// <summary>Gets the width of an IOVA in bits where the options of a domain do not say.</summary>
    static abstract int DefaultAddressBits { get; }

    /// <summary>Gets the width of a physical address in bits: the widest that an entry can hold.</summary>
    static abstract int PhysicalAddressBits { get; }

    /// <summary>Gets the page sizes as a bitmap: bit n stands for pages of 2^n bytes, contiguous runs and coded sizes included. Bit <see cref="GranuleLog2"/> is set.</summary>
    static abstract ulong PageSizes { get; }

    /// <summary>Gets whether IOVAs are sign-extended: bits above the width repeat its highest bit. Without it they are zero.</summary>
    static virtual bool SignExtended => false;

    /// <summary>
    /// Gets the levels that a new domain starts with where the root may grow while mapped, up to what the geometry of its address width gives;
    /// 0 where the root is fixed.
    /// </summary>
    static virtual int GrowsFromLevels => 0;

    /// <summary>Gets whether every item of a contiguous run holds the identical entry; otherwise each holds its own address.</summary>
    static virtual bool RunsAreIdentical => false;

    /// <summary>
    /// Gets whether the hardware may need an entry to be invalid, and flushed, between a leaf and a table (or a leaf of another size) in its place.
    /// Such a format splits and merges pages only in a domain whose options state that its hardware does not, and never changes the memory type of a mapped page.
    /// </summary>
    static virtual bool NeedsBreakBeforeMake => false;

    /// <summary>Gets the depth and the root's size for IOVAs of a width.</summary>
    /// <param name="addressBits">The width of an IOVA in bits.</param>
    /// <param name="geometry">The levels, and the index bits of the root: fewer than of other tables where the root is partial, more where it is concatenated.</param>
    /// <returns><see langword="false"/> where the format has no table of that width.</returns>
    static abstract bool TryGetGeometry(int addressBits, out PageTableGeometry geometry);

    /// <summary>Says whether a leaf can carry exactly this access. The combination is never <see cref="IommuAccess.None"/>.</summary>
    /// <param name="access">What a mapping is to permit.</param>
    static abstract bool Supports(IommuAccess access);

    /// <summary>Says whether an entry points to a table of the level below. Never asked at level 0.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="level">The level of the table that holds it, above 0.</param>
    static abstract bool IsTable(ulong entry, int level);

    /// <summary>Says whether an entry maps a page.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="level">The level of the table that holds it.</param>
    static abstract bool IsLeaf(ulong entry, int level);

    /// <summary>Returns the physical address of the table that a table entry points to, in bytes.</summary>
    /// <param name="entry">A table entry.</param>
    static abstract ulong TableAddress(ulong entry);

    /// <summary>
    /// Returns the physical address that a leaf holds, in bytes. Bits below the page's size may be anything (a coded size, an item's place in its run):
    /// the caller masks them.
    /// </summary>
    /// <param name="entry">A leaf.</param>
    static abstract ulong LeafAddress(ulong entry);

    /// <summary>Returns log2 of a leaf's size in bytes: of the whole run, where the leaf is one item of a contiguous run.</summary>
    /// <param name="entry">A leaf.</param>
    /// <param name="level">The level of the table that holds it.</param>
    static abstract int LeafSizeLog2(ulong entry, int level);

    /// <summary>Returns what a leaf permits.</summary>
    /// <param name="entry">A leaf.</param>
    /// <param name="level">The level of the table that holds it.</param>
    /// <remarks>A page whose writes the hardware itself permits while it marks them dirty is writable, whatever the entry's permission bits say at that moment.</remarks>
    static abstract IommuAccess Access(ulong entry, int level);

    /// <summary>Returns the entry that points to a table and permits everything.</summary>
    /// <param name="address">The physical address of the lower table in bytes.</param>
    /// <param name="level">The level of the table that is to hold the entry, above 0.</param>
    static abstract ulong TableEntry(ulong address, int level);

    /// <summary>Returns a physical address as it stands in a leaf.</summary>
    /// <param name="address">The address, or a distance between addresses, in bytes; a multiple of the granule.</param>
    static abstract ulong AddressField(ulong address);

    /// <summary>Returns all of a leaf but its address: access, size, and accessed and dirty state as a new mapping starts with.</summary>
    /// <param name="level">The level of the table that is to hold the leaf.</param>
    /// <param name="sizeLog2">log2 of the page's size in bytes, one of <see cref="PageSizes"/>.</param>
    /// <param name="access">What the mapping permits; supported.</param>
    static abstract ulong LeafAttributes(int level, int sizeLog2, IommuAccess access);

    /// <summary>Gets the bits that say whether a leaf is dirty: it is when <c>(entry &amp; DirtyMask) == DirtyValue</c>. Zero where the format has no dirty state.</summary>
    /// <remarks>The test must fail for a hole and for a table entry, so that a scan may compare whole vectors of entries.</remarks>
    static abstract ulong DirtyMask { get; }

    /// <summary>Gets the value of the <see cref="DirtyMask"/> bits in a dirty leaf.</summary>
    static abstract ulong DirtyValue { get; }

    /// <summary>Returns a leaf made dirty: as the hardware does when it writes. Unchanged where the leaf's state is not tracked.</summary>
    /// <param name="entry">A leaf.</param>
    static abstract ulong WithDirty(ulong entry);

    /// <summary>Returns a dirty leaf made clean.</summary>
    /// <param name="entry">A dirty leaf.</param>
    static abstract ulong WithoutDirty(ulong entry);

    /// <summary>Gets the bit of a leaf that says the page was accessed. Zero where the format has none.</summary>
    static virtual ulong AccessedMask => 0;

    /// <summary>Gets the bit of a table entry that the hardware sets when it walks through it. Zero where it sets none.</summary>
    static virtual ulong TableAccessedMask => 0;

    /// <summary>
    /// Gets the bits of a table entry that name the lower table and say that it is one. Two entries that agree in them lead to the same table;
    /// bits that the hardware may set meanwhile are not among them, nor is <see cref="ReclaimMark"/>.
    /// </summary>
    static abstract ulong TableIdentityMask { get; }

    /// <summary>
    /// Gets one bit that software may use in a table entry, which the hardware ignores: the reclaimer of empty tables marks with it.
    /// Zero where no bit is safe; such a format keeps its empty tables.
    /// </summary>
    static virtual ulong ReclaimMark => 0;
}
