// The engine: one domain of one format. This part has its state, its geometry, and how it gets from an entry to a table.
using System.Numerics;
using System.Runtime.CompilerServices;
using IommuRcu.Memory;

namespace IommuRcu;

/// <summary>A domain whose format is known to the JIT: the public calls reach it by one virtual call, and nothing below is virtual.</summary>
/// <remarks>
/// <para>Addresses inside the engine are linear: an IOVA cut to its width, so that a sign-extended aperture is contiguous.</para>
/// <para>
/// Invariant of the tree: a table entry without the reclaim mark stands in a table that is linked, and stays linked as long as the entry does. So a mapper
/// that saw no mark on its way down, and sees none in the parent entry after its store, has stored into a linked table. How marks keep this true is told
/// in the parts for installing and for reclaiming tables.
/// </para>
/// </remarks>
internal sealed unsafe partial class PageTableDomain<TFormat> : IommuDomain
    where TFormat : struct, IPageTableFormat
{
    private const int MaxLevels = 7;

    private readonly PhysicalMemory _memory;
    private readonly int _addressBits;
    private readonly int _maxLevels;
    private readonly ulong _lastLinear;
    private readonly ulong _pageSizes;
    private readonly bool _keepEmptyTables;

    // The root table's pointer, with the number of levels in the low bits: one word, so that both change together. 0 when disposed.
    // Read with acquire wherever a descent begins; grows by a release store under the lock, when the hardware was told.
    private ulong _top;

    internal PageTableDomain(IommuDomainOptions options)
        : base(options)
    {
        if (options.GranuleLog2 != 0 && options.GranuleLog2 != TFormat.GranuleLog2)
        {
            throw new ArgumentException($"{TFormat.Name} has a granule of 2^{TFormat.GranuleLog2} bytes here, not 2^{options.GranuleLog2}.", nameof(options));
        }

        _addressBits = options.AddressBits == 0 ? TFormat.DefaultAddressBits : options.AddressBits;
        if (!TFormat.TryGetGeometry(_addressBits, out PageTableGeometry geometry))
        {
            throw new ArgumentException($"{TFormat.Name} has no tables for IOVAs of {_addressBits} bits.", nameof(options));
        }

        _memory = options.PageAllocator.Memory;
        _memory.GetFirstWindow(out _windowFirst, out _windowSize, out _window);
        _maxLevels = geometry.Levels;
        _lastLinear = _addressBits == 64 ? ulong.MaxValue : (1UL << _addressBits) - 1;
        _keepEmptyTables = options.KeepEmptyTables || TFormat.ReclaimMark == 0;

        int levels = geometry.Levels;
        int rootIndexBits = geometry.RootIndexBits;
        if (TFormat.GrowsFromLevels != 0 && TFormat.GrowsFromLevels < levels)
        {
            levels = TFormat.GrowsFromLevels;
            rootIndexBits = IndexBits;
        }

        // A page larger than what a table of the top level covers cannot be used; one as large as an item of it can.
        _pageSizes = ((TFormat.PageSizes & options.PageSizes) | (1UL << TFormat.GranuleLog2)) & (ulong.MaxValue >> (63 - Math.Min(63, Shift(_maxLevels) - 1)));
        TablePage root = options.PageAllocator.Allocate(Math.Max(TFormat.GranuleLog2, rootIndexBits + 3));
        root.MarkLinked();
        _top = (ulong)root.Pointer | (uint)levels;
        _newestTop = _top;
    }

    /// <inheritdoc/>
    public override string FormatName => TFormat.Name;

    /// <inheritdoc/>
    public override int AddressBits => _addressBits;

    /// <inheritdoc/>
    public override int GranuleLog2 => TFormat.GranuleLog2;

    /// <inheritdoc/>
    public override ulong PageSizes => _pageSizes;

    /// <inheritdoc/>
    public override bool IsSignExtended => TFormat.SignExtended;

    /// <inheritdoc/>
    public override PageTableRoot Root
    {
        get
        {
            ThrowIfDisposed();
            return RootOf(Volatile.Read(ref _newestTop));
        }
    }

    /// <summary>Gets how many bits of an IOVA select an entry of a table below the root.</summary>
    private static int IndexBits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.GranuleLog2 - 3;
    }

    private static int EntriesPerTable
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 1 << IndexBits;
    }

    /// <summary>Gets whether an entry must be invalid, and flushed, between a table and a page in its place, or the reverse.</summary>
    private bool BreaksBeforeMake
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.NeedsBreakBeforeMake && !Options.ReplacesWithoutBreak;
    }

    /// <summary>Gets the bits in which two entries agree when they lead to the same table and neither, or both, is marked.</summary>
    private static ulong LinkMask
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TFormat.TableIdentityMask | TFormat.ReclaimMark;
    }

    internal override void ThrowIfDisposed() => ThrowIfDisposed(Volatile.Read(ref _top));

    internal override TResult Accept<TVisitor, TResult>(ref TVisitor visitor) => visitor.Visit<TFormat>(this);

    /// <summary>Returns log2 of the bytes that one item of a table covers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Shift(int level) => TFormat.GranuleLog2 + (level * IndexBits);

    /// <summary>Returns the level of the table that holds a page of a size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LevelOf(int sizeLog2) => (sizeLog2 - TFormat.GranuleLog2) / IndexBits;

    /// <summary>Returns the last linear address that an item of a level covers which begins at or before an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LastOfItem(ulong linear, int level)
    {
        int shift = Shift(level);
        return shift >= 64 ? ulong.MaxValue : linear | ((1UL << shift) - 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* TopTable(ulong top) => (ulong*)(top & ~7UL);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int TopLevel(ulong top) => (int)(top & 7) - 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong ToLinear(Iova iova) => TFormat.SignExtended ? iova.Value & _lastLinear : iova.Value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Iova ToIova(ulong linear) =>
        new(TFormat.SignExtended && (linear & ((_lastLinear >> 1) + 1)) != 0 ? linear | ~_lastLinear : linear);

    /// <summary>Returns the table that an entry points to.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong* TableOf(ulong entry) => (ulong*)_memory.PointerTo(new PhysicalAddress(TFormat.TableAddress(entry)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private TablePage PageOf(ulong entry) => PageAllocator.GetPage(new PhysicalAddress(TFormat.TableAddress(entry)));

    /// <summary>
    /// Says whether a root of some depth reaches an address. Where the root is fixed it reaches the whole aperture, and the JIT drops the question.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Reaches(int topLevel, ulong linear)
    {
        if (TFormat.GrowsFromLevels == 0)
        {
            return true;
        }

        int shift = Shift(topLevel + 1);
        return shift >= 64 || linear >> shift == 0;
    }

    /// <summary>Returns the slot of an address in a table. The root has no entries that the aperture does not need, so its index needs no mask.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* RootSlot(ulong* table, int level, ulong linear) => table + (linear >> Shift(level));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* Slot(ulong* table, int level, ulong linear) => table + ((linear >> Shift(level)) & (ulong)(EntriesPerTable - 1));

    /// <summary>Returns where the root is, as hardware is told.</summary>
    private PageTableRoot RootOf(ulong top) => new(RootAddressOf(TopTable(top)), (int)(top & 7));

    // The root has no entry that names it, so its physical address is found by its pointer; once for each attach or growth.
    private PhysicalAddress RootAddressOf(ulong* table)
    {
        foreach (PhysicalRange window in _memory.Windows)
        {
            byte* pointer = _memory.GetPointer(window.First, 1);
            ulong offset = (ulong)((byte*)table - pointer);
            if (offset <= window.Last.Value - window.First.Value)
            {
                return window.First + offset;
            }
        }

        throw new InvalidOperationException("The root table is in no window.");
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void ThrowIfDisposed(ulong top)
    {
        if (top == 0)
        {
            ThrowDisposed();
        }
    }

    private void ThrowDisposed() => throw new ObjectDisposedException(nameof(IommuDomain));
}
