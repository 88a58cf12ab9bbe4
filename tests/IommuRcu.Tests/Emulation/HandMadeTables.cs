// VT-d second-stage tables written entry by entry, so that the emulated hardware is tested without a domain.
using IommuRcu.Memory;

namespace IommuRcu.Tests.Emulation;

/// <summary>Three levels: 39 bits of IOVA.</summary>
internal sealed unsafe class HandMadeTables : IDisposable
{
    internal const ulong Read = 1;
    internal const ulong Write = 2;
    internal const ulong Large = 1 << 7;
    internal const ulong Accessed = 1 << 8;
    internal const ulong Dirty = 1 << 9;

    private readonly List<TablePage> _all = [];

    internal HandMadeTables()
    {
        Memory = PhysicalMemory.Allocate(16UL << 20);
        Pages = new PageAllocator(Memory);
        Root = New();
    }

    internal PhysicalMemory Memory { get; }

    internal PageAllocator Pages { get; }

    internal TablePage Root { get; }

    internal PageTableRoot PageTableRoot => new(Root.Address, 3);

    public void Dispose()
    {
        _all.ForEach(p => Pages.Free(p));
        Memory.Dispose();
    }

    internal TablePage New(int sizeLog2 = 12)
    {
        TablePage page = Pages.Allocate(sizeLog2);
        _all.Add(page);
        return page;
    }

    /// <summary>Maps one page of a level's size, making the tables on the way.</summary>
    internal ref ulong Map(ulong iova, TablePage page, ulong bits = Read | Write, int level = 0)
        => ref Map(iova, page.Address.Value, bits, level);

    internal ref ulong Map(ulong iova, ulong address, ulong bits, int level = 0)
    {
        ref ulong entry = ref Slot(iova, level, make: true);
        Volatile.Write(ref entry, address | bits | (level > 0 ? Large : 0));
        return ref entry;
    }

    internal ref ulong Slot(ulong iova, int level, bool make = false)
    {
        TablePage table = Root;
        for (int at = 2; ; at--)
        {
            ref ulong entry = ref Entry(table, (int)(iova >> (12 + (9 * at))) & 511);
            if (at == level)
            {
                return ref entry;
            }

            if (make && entry == 0)
            {
                Volatile.Write(ref entry, New().Address.Value | Read | Write);
            }

            table = Pages.GetPage(new PhysicalAddress(entry & 0xF_FFFF_FFFF_F000));
        }
    }

    internal static ref ulong Entry(TablePage table, int index) => ref ((ulong*)table.Pointer)[index];

    internal Span<byte> Bytes(TablePage page) => new(page.Pointer, (int)page.Size);
}
