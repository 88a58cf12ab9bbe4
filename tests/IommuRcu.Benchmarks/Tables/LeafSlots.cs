// The entries of small pages, found once by walking the tables entry by entry, so that a benchmark can play the device that sets dirty bits.
namespace IommuRcu.Benchmarks.Tables;

internal sealed unsafe class LeafSlots<TFormat>
    where TFormat : struct, IPageTableFormat
{
    private readonly ulong*[] _tables;
    private readonly int _first;

    /// <summary>Finds the entries of mapped 4 KiB pages, whose tables stay.</summary>
    public LeafSlots(TableSetup setup, Iova start, int count)
    {
        _first = (int)((start.Value >> 12) & 511);
        _tables = new ulong*[(_first + count + 511) / 512];
        for (int i = 0; i < _tables.Length; i++)
        {
            _tables[i] = Find(setup, start.Value + ((ulong)i * TableSetup.LargePage));
        }
    }

    /// <summary>Makes pages dirty: every <paramref name="step"/>th from the first on.</summary>
    public void MakeDirty(int first, int count, int step)
    {
        for (int i = _first + first; i < _first + first + count; i += step)
        {
            ulong* slot = _tables[i >> 9] + (i & 511);
            *slot = TFormat.WithDirty(*slot);
        }
    }

    private static ulong* Find(TableSetup setup, ulong iova)
    {
        PageTableRoot root = setup.Domain.Root;
        var table = (ulong*)setup.Memory.GetPointer(root.Address, 4096);
        for (int level = root.Levels - 1; level > 0; level--)
        {
            ulong entry = table[(iova >> (12 + (9 * level))) & 511];
            if (!TFormat.IsTable(entry, level))
            {
                throw new InvalidOperationException("No small page is mapped there.");
            }

            table = (ulong*)setup.Memory.GetPointer(new PhysicalAddress(TFormat.TableAddress(entry)), 4096);
        }

        return table;
    }
}
