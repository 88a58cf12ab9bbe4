// A domain of one format with memory of its own, and a walk through its tables that is the test's, not the engine's.
using System.Collections.Concurrent;
using IommuRcu.Memory;

namespace IommuRcu.Tests.PageTables.Formats;

/// <summary>A domain of a format, with the memory that its tables are in. Disposing it asserts that no page of a table leaked.</summary>
internal sealed unsafe class FormatDomain<TFormat> : IDisposable
    where TFormat : struct, IPageTableFormat
{
    private readonly PageTableGeometry _geometry;

    internal FormatDomain(
        int addressBits, ulong memory = 64 << 20, ulong pageSizes = ulong.MaxValue, bool keepEmptyTables = false, bool replacesWithoutBreak = false)
    {
        Memory = PhysicalMemory.Allocate(new PhysicalAddress(0x10_0000), memory);
        Allocator = new PageAllocator(Memory, new PageAllocatorOptions { PoisonFreedPages = true });
        Invalidator = new RootRecorder();
        Domain = IommuDomain.Create<TFormat>(new IommuDomainOptions
        {
            PageAllocator = Allocator,
            AddressBits = addressBits,
            Invalidator = Invalidator,
            PageSizes = pageSizes,
            KeepEmptyTables = keepEmptyTables,
            ReplacesWithoutBreak = replacesWithoutBreak,
        });
        AddressBits = addressBits;
        Assert.True(TFormat.TryGetGeometry(addressBits, out _geometry));
        Halves = TFormat.SignExtended
            ? [(0, 1UL << (addressBits - 1)), (~0UL << (addressBits - 1), 1UL << (addressBits - 1))]
            : [(0, 1UL << (addressBits - 1)), (1UL << (addressBits - 1), 1UL << (addressBits - 1))];
    }

    internal PhysicalMemory Memory { get; }

    internal PageAllocator Allocator { get; }

    internal RootRecorder Invalidator { get; }

    internal IommuDomain Domain { get; }

    internal int AddressBits { get; }

    internal int Levels => _geometry.Levels;

    /// <summary>Gets the aperture as two ranges, first address and size: a sign-extended one has a gap between them, and all 64 bits cannot be said as one size.</summary>
    internal (ulong First, ulong Size)[] Halves { get; }

    private static int IndexBits => TFormat.GranuleLog2 - 3;

    /// <summary>Walks to the leaf of an address as hardware does: root, index, entry, nothing else.</summary>
    /// <returns>The leaf's place and level; null where there is a hole.</returns>
    internal ulong* FindLeaf(ulong iova, out int level)
    {
        PageTableRoot root = Domain.Root;
        ulong linear = AddressBits == 64 ? iova : iova & ((1UL << AddressBits) - 1);
        level = root.Levels - 1;
        int indexBits = root.Levels == _geometry.Levels ? _geometry.RootIndexBits : IndexBits;
        ulong table = root.Address.Value;
        while (true)
        {
            int shift = TFormat.GranuleLog2 + (IndexBits * level);
            ulong index = linear >> shift;
            if (level == root.Levels - 1)
            {
                if (index >> indexBits != 0)
                {
                    return null;
                }
            }
            else
            {
                index &= (1UL << IndexBits) - 1;
            }

            ulong* slot = (ulong*)Memory.GetPointer(new PhysicalAddress(table + (8 * index)), 8);
            ulong entry = Volatile.Read(ref *slot);
            if (TFormat.IsLeaf(entry, level))
            {
                return slot;
            }

            if (level == 0 || !TFormat.IsTable(entry, level))
            {
                Assert.Equal(0UL, entry);
                return null;
            }

            table = TFormat.TableAddress(entry);
            level--;
        }
    }

    /// <summary>Makes the item of a page that holds an address dirty, and accessed where the format has such a bit: as a device's write does.</summary>
    internal void Write(ulong iova)
    {
        ulong* slot = FindLeaf(iova, out _);
        Assert.True(slot != null);
        while (true)
        {
            ulong entry = Volatile.Read(ref *slot);
            if (Interlocked.CompareExchange(ref *slot, TFormat.WithDirty(entry) | TFormat.AccessedMask, entry) == entry)
            {
                return;
            }
        }
    }

    /// <summary>Collects the mapped pages of the whole aperture, in order.</summary>
    internal List<PageTableLeaf> Walk()
    {
        var leaves = new List<PageTableLeaf>();
        foreach ((ulong first, ulong size) in Halves)
        {
            leaves.AddRange(Walk(first, size));
        }

        return leaves;
    }

    internal List<PageTableLeaf> Walk(ulong first, ulong size)
    {
        var leaves = new List<PageTableLeaf>();
        using (Rcu.ReadLock())
        {
            foreach (PageTableLeaf leaf in Domain.Walk(new Iova(first), size))
            {
                leaves.Add(leaf);
            }
        }

        return leaves;
    }

    public void Dispose()
    {
        Domain.Dispose();
        Rcu.Barrier();
        Assert.Equal(0, Allocator.LivePages);
        Allocator.Dispose();
        Memory.Dispose();
    }
}

/// <summary>A hardware half that walks nothing, records the roots that it is told of, and tells of invalidations.</summary>
internal sealed class RootRecorder : IIommuInvalidator
{
    internal ConcurrentQueue<PageTableRoot> Roots { get; } = new();

    /// <summary>Gets or sets what is done while an invalidation is under way.</summary>
    internal Action<IovaRange, bool>? OnInvalidate { get; set; }

    public void Invalidate(IovaRange range, bool tablesFreed) => OnInvalidate?.Invoke(range, tablesFreed);

    /// <summary>Gets or sets what is done while the hardware is told of a root.</summary>
    internal Action<PageTableRoot>? OnRootChanged { get; set; }

    public void RootChanged(PageTableRoot root)
    {
        Roots.Enqueue(root);
        OnRootChanged?.Invoke(root);
    }
}
