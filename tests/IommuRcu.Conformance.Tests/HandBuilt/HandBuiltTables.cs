// Page tables written entry by entry from the specifications, without the library: what the drivers are tested with.
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Conformance.Tests.HandBuilt;

/// <summary>Entries of one format as its specification writes them; levels count from the leaves.</summary>
internal sealed record HandFormat(
    string Name, int GranuleLog2, int Levels, int RootIndexBits, Func<ulong, int, ulong> Table, Func<ulong, int, bool, bool, ulong> Leaf);

/// <summary>A tree of tables in guest memory. Tables are taken from a range, in order, and never given back.</summary>
internal sealed class HandBuiltTables
{
    private readonly GuestMemory _memory;
    private readonly HandFormat _format;
    private PhysicalAddress _next;

    public HandBuiltTables(GuestMemory memory, HandFormat format, PhysicalAddress tables)
    {
        _memory = memory;
        _format = format;
        _next = tables;
        Root = new PageTableRoot(Take(8UL << format.RootIndexBits), format.Levels);
    }

    public PageTableRoot Root { get; }

    /// <summary>Maps one page of a level's item size.</summary>
    public void Map(Iova iova, PhysicalAddress address, int level, bool read, bool write) =>
        Volatile.Write(ref Entry(iova, level), _format.Leaf(address.Value, level, read, write));

    /// <summary>The entry for an address in the table of a level; tables above it are made as needed.</summary>
    public ref ulong Entry(Iova iova, int level)
    {
        int bits = _format.GranuleLog2 - 3;
        PhysicalAddress table = Root.Address;
        for (int l = _format.Levels - 1; ; l--)
        {
            int indexBits = l == _format.Levels - 1 ? _format.RootIndexBits : bits;
            ulong index = (iova.Value >> (_format.GranuleLog2 + (l * bits))) & ((1UL << indexBits) - 1);
            PhysicalAddress at = table + (index * 8);
            if (l == level)
            {
                return ref _memory.Word(at);
            }
            ref ulong entry = ref _memory.Word(at);
            if (!_lower.TryGetValue(at.Value, out table))
            {
                table = Take(1UL << _format.GranuleLog2);
                _lower.Add(at.Value, table);
                Volatile.Write(ref entry, _format.Table(table.Value, l));
            }
        }
    }

    private readonly Dictionary<ulong, PhysicalAddress> _lower = [];

    private PhysicalAddress Take(ulong size)
    {
        ulong alignment = ulong.Max(size, 4096);
        var address = new PhysicalAddress((_next.Value + alignment - 1) & ~(alignment - 1));
        _next = address + alignment;
        return address;
    }
}
