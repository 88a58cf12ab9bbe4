// Mapped pages next to each other, as one line of a dump.
using System.Globalization;

namespace IommuRcu;

/// <summary>A run of mapped pages: next to each other in IOVA and in memory, of one size and one access.</summary>
public readonly record struct PageTableRun
{
    internal PageTableRun(in PageTableLeaf leaf)
    {
        First = leaf.Iova;
        Address = leaf.Address;
        PageSize = leaf.Size;
        Access = leaf.Access;
        Pages = 1;
        DirtyPages = leaf.IsDirty ? 1 : 0;
        AccessedPages = leaf.IsAccessed ? 1 : 0;
    }

    /// <summary>Gets the first IOVA of the run.</summary>
    public Iova First { get; init; }

    /// <summary>Gets the last IOVA of the run.</summary>
    public Iova Last => new(First.Value + (Size - 1));

    /// <summary>Gets the physical address of the run's first byte.</summary>
    public PhysicalAddress Address { get; init; }

    /// <summary>Gets the size of the run in bytes.</summary>
    public ulong Size => (ulong)Pages * PageSize;

    /// <summary>Gets the size of each page in bytes.</summary>
    public ulong PageSize { get; init; }

    /// <summary>Gets the number of pages.</summary>
    public long Pages { get; init; }

    /// <summary>Gets what devices may do.</summary>
    public IommuAccess Access { get; init; }

    /// <summary>Gets the number of dirty pages.</summary>
    public long DirtyPages { get; init; }

    /// <summary>Gets the number of pages that were accessed.</summary>
    public long AccessedPages { get; init; }

    /// <summary>Returns the run as a line of text.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"0x{First.Value:x16}-0x{Last.Value:x16} -> 0x{Address.Value:x12}-0x{Address.Value + (Size - 1):x12} {AccessText()} {Pages} x {SizeText(PageSize)}, dirty {DirtyPages}, accessed {AccessedPages}");

    internal bool TryExtend(in PageTableLeaf leaf, out PageTableRun longer)
    {
        longer = this;
        if (leaf.Size != PageSize || leaf.Access != Access || leaf.Iova.Value != First.Value + Size || leaf.Address.Value != Address.Value + Size || leaf.Iova.Value == 0)
        {
            return false;
        }

        longer = this with
        {
            Pages = Pages + 1,
            DirtyPages = DirtyPages + (leaf.IsDirty ? 1 : 0),
            AccessedPages = AccessedPages + (leaf.IsAccessed ? 1 : 0),
        };
        return true;
    }

    private static string SizeText(ulong size) => size switch
    {
        >= 1UL << 40 => $"{size >> 40}T",
        >= 1UL << 30 => $"{size >> 30}G",
        >= 1UL << 20 => $"{size >> 20}M",
        _ => $"{size >> 10}K",
    };

    private string AccessText() => string.Create(5, Access, static (text, access) =>
    {
        text[0] = (access & IommuAccess.Read) != 0 ? 'r' : '-';
        text[1] = (access & IommuAccess.Write) != 0 ? 'w' : '-';
        text[2] = (access & IommuAccess.Execute) != 0 ? 'x' : '-';
        text[3] = (access & IommuAccess.Cacheable) != 0 ? 'c' : '-';
        text[4] = (access & IommuAccess.Mmio) != 0 ? 'm' : '-';
    });
}
