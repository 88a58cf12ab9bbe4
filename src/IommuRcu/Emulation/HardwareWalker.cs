// The walk that the emulated hardware makes: entry by entry, outside every read-side section, setting accessed and dirty bits as it goes.
using System.Runtime.CompilerServices;
using IommuRcu.Memory;

namespace IommuRcu.Emulation;

/// <summary>Where a walk begins. Hardware has its own copy: it learns of a new root when it is told.</summary>
/// <param name="Address">The physical address of the root table.</param>
/// <param name="Levels">The number of levels.</param>
/// <param name="RootIndexBits">log2 of the number of entries in the root.</param>
internal sealed record WalkRoot(ulong Address, int Levels, int RootIndexBits);

/// <summary>What a walk found: a frame of 4 KiB and what may be done with it without another walk; or why it failed.</summary>
internal struct WalkResult
{
    internal const ulong CanRead = 1;
    internal const ulong CanWrite = 2;
    internal const ulong MayWrite = 4;
    internal const ulong FrameMask = ~0xfffUL;

    /// <summary>
    /// The frame's physical address, with <see cref="CanRead"/>, <see cref="MayWrite"/> where the leaf permits writing, and <see cref="CanWrite"/> where nothing is left to be
    /// marked dirty: a write that finds the former alone walks again.
    /// </summary>
    internal ulong Frame;

    internal IommuFaultReason Reason;
    internal int Level;
    internal ulong RawEntry;
}

/// <summary>The walk without its format.</summary>
internal abstract class HardwareWalker
{
    /// <summary>log2 of the bytes of IOVA that a lowest-level table covers: the key of the cache of tables is the IOVA shifted by it.</summary>
    internal abstract int TableShift { get; }

    internal EmulationHooks? Hooks { get; init; }

    internal abstract WalkRoot RootOf(PageTableRoot root, PageTableGeometry geometry);

    /// <summary>Translates one IOVA for one access.</summary>
    /// <param name="memory">The physical memory that holds the tables.</param>
    /// <param name="root">Where to begin.</param>
    /// <param name="iova">The IOVA.</param>
    /// <param name="write">Whether the access writes.</param>
    /// <param name="tables">The device's cache of lowest-level tables; may be <see langword="null"/>.</param>
    /// <param name="sequence">The context's sequence, raised by every invalidation.</param>
    /// <param name="seen">Its value before the walk.</param>
    /// <param name="restarts">Counts the walks that began again.</param>
    /// <param name="result">What was found.</param>
    /// <returns><see langword="false"/> if the access is refused.</returns>
    internal abstract bool TryWalk(
        PhysicalMemory memory,
        WalkRoot root,
        ulong iova,
        bool write,
        TranslationCache? tables,
        ref long sequence,
        long seen,
        ref long restarts,
        out WalkResult result);
}

/// <summary>The walk for one format.</summary>
/// <remarks>
/// An entry is decided by one 64-bit load. Accessed and dirty bits are set by compare-exchange against the entry that was read: when it changed
/// meanwhile, nothing of it is believed and the walk begins again, permissions included.
/// </remarks>
internal sealed unsafe class HardwareWalker<TFormat> : HardwareWalker
    where TFormat : struct, IPageTableFormat
{
    private static int IndexBits => TFormat.GranuleLog2 - 3;

    internal override int TableShift => TFormat.GranuleLog2 + IndexBits;

    internal override WalkRoot RootOf(PageTableRoot root, PageTableGeometry geometry)
        => new(root.Address.Value, root.Levels, root.Levels == geometry.Levels ? geometry.RootIndexBits : IndexBits);

    internal override bool TryWalk(
        PhysicalMemory memory,
        WalkRoot root,
        ulong iova,
        bool write,
        TranslationCache? tables,
        ref long sequence,
        long seen,
        ref long restarts,
        out WalkResult result)
    {
        result = new WalkResult { Level = -1 };
        if (!IsTranslatable(root, iova))
        {
            result.Reason = IommuFaultReason.OutsideAperture;
            return false;
        }

        while (true)
        {
            switch (Walk(memory, root, iova, write, tables, ref sequence, seen, ref result))
            {
                case Outcome.Found:
                    return true;
                case Outcome.Refused:
                    return false;
                default:
                    Volatile.Write(ref restarts, restarts + 1);
                    break;
            }
        }
    }

    private enum Outcome
    {
        Found,
        Refused,
        Changed,
    }

    private static bool IsTranslatable(WalkRoot root, ulong iova)
    {
        int width = TFormat.GranuleLog2 + ((root.Levels - 1) * IndexBits) + root.RootIndexBits;
        if (width >= 64)
        {
            return true;
        }

        return TFormat.SignExtended ? (ulong)((long)(iova << (64 - width)) >> (64 - width)) == iova : iova >> width == 0;
    }

    private Outcome Walk(
        PhysicalMemory memory, WalkRoot root, ulong iova, bool write, TranslationCache? tables, ref long sequence, long seen, ref WalkResult result)
    {
        int level = root.Levels - 1;
        ulong table = root.Address;
        int bits = root.RootIndexBits;
        ulong tableKey = iova >> (TFormat.GranuleLog2 + IndexBits);
        if (tables is not null && level > 0 && tables.TryGet(tableKey, out ulong cached))
        {
            // As hardware does: what this cache says is not compared with the tables again.
            level = 0;
            table = cached;
            bits = IndexBits;
        }

        while (true)
        {
            ulong index = (iova >> (TFormat.GranuleLog2 + (level * IndexBits))) & ((1UL << bits) - 1);
            var slot = (ulong*)memory.PointerOrNull(new PhysicalAddress(table + (index * 8)), 8);
            if (slot == null)
            {
                return Refuse(IommuFaultReason.TableOutsideMemory, level, table, ref result);
            }

            // Acquire: what the table held when the entry that led here was stored is read after it.
            ulong entry = Volatile.Read(ref *slot);
            if (level > 0 && TFormat.IsTable(entry, level))
            {
                if ((entry & TFormat.TableAccessedMask) != TFormat.TableAccessedMask
                    && Interlocked.CompareExchange(ref *slot, entry | TFormat.TableAccessedMask, entry) != entry)
                {
                    return Outcome.Changed;
                }

                table = TFormat.TableAddress(entry);
                level--;
                bits = IndexBits;
                if (level == 0)
                {
                    tables?.Put(tableKey, table, ref sequence, seen);
                }

                continue;
            }

            return TFormat.IsLeaf(entry, level)
                ? Access(slot, entry, level, iova, write, ref result)
                : Refuse(IommuFaultReason.NotPresent, level, entry, ref result);
        }
    }

    private Outcome Access(ulong* slot, ulong entry, int level, ulong iova, bool write, ref WalkResult result)
    {
        IommuAccess access = TFormat.Access(entry, level);
        if (!write && (access & IommuAccess.Read) == 0)
        {
            return Refuse(IommuFaultReason.ReadDenied, level, entry, ref result);
        }

        if (write && (access & IommuAccess.Write) == 0)
        {
            return Refuse(IommuFaultReason.WriteDenied, level, entry, ref result);
        }

        ulong touched = entry | TFormat.AccessedMask;
        if (write)
        {
            touched = TFormat.WithDirty(touched);
        }

        if (Hooks is not null)
        {
            Hooks.BeforeTouch?.Invoke(new Iova(iova));
            if (Hooks.TouchesByStore)
            {
                Volatile.Write(ref *slot, touched);
            }
        }

        // Never a store: an unmap or a cleaning that came in between must not be undone, and its outcome decides anew.
        if (touched != entry && Interlocked.CompareExchange(ref *slot, touched, entry) != entry && Hooks is not { TouchesByStore: true })
        {
            return Outcome.Changed;
        }

        ulong offsetMask = (1UL << TFormat.LeafSizeLog2(entry, level)) - 1;
        ulong frame = ((TFormat.LeafAddress(entry) & ~offsetMask) | (iova & offsetMask)) & WalkResult.FrameMask;

        // A later write may go through the cache only if it finds the page dirty already, or dirty state is not tracked.
        result.Frame = frame | ((access & IommuAccess.Read) != 0 ? WalkResult.CanRead : 0);
        if ((access & IommuAccess.Write) != 0)
        {
            result.Frame |= WalkResult.MayWrite | (TFormat.WithDirty(touched) == touched ? WalkResult.CanWrite : 0);
        }

        result.Level = level;
        result.RawEntry = touched;
        return Outcome.Found;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Outcome Refuse(IommuFaultReason reason, int level, ulong entry, ref WalkResult result)
    {
        result.Reason = reason;
        result.Level = level;
        result.RawEntry = entry;
        return Outcome.Refused;
    }
}
