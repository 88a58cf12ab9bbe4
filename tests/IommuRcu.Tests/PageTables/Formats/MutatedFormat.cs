// AMD v1 with one fact wrong: the rules, or a walk by the book, must notice each.
namespace IommuRcu.Tests.PageTables.Formats;

/// <summary>What is wrong with a <see cref="MutatedFormat{TFault}"/>.</summary>
internal enum FormatFault
{
    /// <summary>Nothing: the mutation alone must not fail.</summary>
    None,

    /// <summary>A marked entry seems to lead to another table.</summary>
    MarkIsIdentity,

    /// <summary>A scan takes tables for dirty pages.</summary>
    TablesLookDirty,

    /// <summary>Addresses lose their highest bits.</summary>
    AddressIsCut,

    /// <summary>A coded page says half its size.</summary>
    CodedSizeIsHalved,

    /// <summary>Items of a run hold their own addresses, which reads as another size.</summary>
    RunItemsDiffer,

    /// <summary>A table entry does not name the level below.</summary>
    TableNamesNoLevel,

    /// <summary>A page made clean cannot be written any more.</summary>
    CleanIsReadOnly,

    /// <summary>Hardware's write goes unnoticed.</summary>
    DirtyIsLost,

    /// <summary>Read and write change places.</summary>
    PermissionsAreSwapped,

    /// <summary>The mark is a bit of the address.</summary>
    MarkIsAddress,
}

/// <summary>Says at compile time which fault a format has.</summary>
internal interface IFormatFault
{
    static abstract FormatFault Fault { get; }
}

/// <summary>AMD v1 with one fact wrong.</summary>
internal readonly struct MutatedFormat<TFault> : IPageTableFormat
    where TFault : struct, IFormatFault
{
    private const ulong WriteBit = 1UL << 62;
    private const ulong ReadBit = 1UL << 61;

    public static string Name => $"AMD v1, {TFault.Fault}";

    public static int GranuleLog2 => AmdV1Format.GranuleLog2;

    public static int DefaultAddressBits => AmdV1Format.DefaultAddressBits;

    public static int PhysicalAddressBits => AmdV1Format.PhysicalAddressBits;

    public static ulong PageSizes => AmdV1Format.PageSizes;

    public static int GrowsFromLevels => AmdV1Format.GrowsFromLevels;

    public static bool RunsAreIdentical => !Has(FormatFault.RunItemsDiffer);

    public static ulong DirtyMask => Has(FormatFault.TablesLookDirty) ? ReadBit : AmdV1Format.DirtyMask;

    public static ulong DirtyValue => Has(FormatFault.TablesLookDirty) ? ReadBit : AmdV1Format.DirtyValue;

    public static ulong AccessedMask => AmdV1Format.AccessedMask;

    public static ulong TableIdentityMask => AmdV1Format.TableIdentityMask | (Has(FormatFault.MarkIsIdentity) ? ReclaimMark : 0);

    public static ulong ReclaimMark => Has(FormatFault.MarkIsAddress) ? 1UL << 40 : AmdV1Format.ReclaimMark;

    public static bool TryGetGeometry(int addressBits, out PageTableGeometry geometry) => AmdV1Format.TryGetGeometry(addressBits, out geometry);

    public static bool Supports(IommuAccess access) => AmdV1Format.Supports(access);

    public static bool IsTable(ulong entry, int level) => AmdV1Format.IsTable(entry, level);

    public static bool IsLeaf(ulong entry, int level) => AmdV1Format.IsLeaf(entry, level);

    public static ulong TableAddress(ulong entry) => AmdV1Format.TableAddress(entry);

    public static ulong LeafAddress(ulong entry) => AmdV1Format.LeafAddress(entry);

    public static int LeafSizeLog2(ulong entry, int level) => AmdV1Format.LeafSizeLog2(entry, level);

    public static IommuAccess Access(ulong entry, int level) => AmdV1Format.Access(entry, level);

    public static ulong TableEntry(ulong address, int level) => AmdV1Format.TableEntry(address, Has(FormatFault.TableNamesNoLevel) ? 1 : level);

    public static ulong AddressField(ulong address) =>
        AmdV1Format.AddressField(Has(FormatFault.AddressIsCut) ? address & ((1UL << 48) - 1) : address);

    public static ulong LeafAttributes(int level, int sizeLog2, IommuAccess access)
    {
        ulong attributes = AmdV1Format.LeafAttributes(level, sizeLog2, access);
        if (Has(FormatFault.CodedSizeIsHalved) && sizeLog2 > 13 && sizeLog2 != 12 + (9 * level))
        {
            attributes &= ~(1UL << (sizeLog2 - 2));
        }

        if (Has(FormatFault.PermissionsAreSwapped))
        {
            attributes = (attributes & ~(ReadBit | WriteBit)) | ((attributes & ReadBit) << 1) | ((attributes & WriteBit) >> 1);
        }

        return attributes;
    }

    public static ulong WithDirty(ulong entry) => Has(FormatFault.DirtyIsLost) ? entry : AmdV1Format.WithDirty(entry);

    public static ulong WithoutDirty(ulong entry) => AmdV1Format.WithoutDirty(entry) & ~(Has(FormatFault.CleanIsReadOnly) ? WriteBit : 0);

    private static bool Has(FormatFault fault) => TFault.Fault == fault;
}
