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

    internal abstract WalkRoot RootOf(PageTableRoot root, int addressBits);

    /// <summary>Makes the walk of a format's hardware: by its own statement of the library's formats, by the format's for a user's.</summary>
    internal static HardwareWalker Of<TFormat>(EmulationHooks? hooks)
        where TFormat : struct, IPageTableFormat
    {
        Type format = typeof(TFormat);
        return format == typeof(VtdSecondStageFormat) ? new HardwareWalker<VtdSecondStageDecoder> { Hooks = hooks }
            : format == typeof(AmdV1Format) ? new HardwareWalker<AmdV1Decoder> { Hooks = hooks }
            : format == typeof(X86FirstStageFormat) ? new HardwareWalker<X86FirstStageDecoder> { Hooks = hooks }
            : format == typeof(ArmStage1Format<ArmGranule4K>) ? new HardwareWalker<ArmDecoder<ArmStage1, Arm4K>> { Hooks = hooks }
            : format == typeof(ArmStage1Format<ArmGranule16K>) ? new HardwareWalker<ArmDecoder<ArmStage1, Arm16K>> { Hooks = hooks }
            : format == typeof(ArmStage1Format<ArmGranule64K>) ? new HardwareWalker<ArmDecoder<ArmStage1, Arm64K>> { Hooks = hooks }
            : format == typeof(ArmStage2Format<ArmGranule4K>) ? new HardwareWalker<ArmDecoder<ArmStage2, Arm4K>> { Hooks = hooks }
            : format == typeof(ArmStage2Format<ArmGranule16K>) ? new HardwareWalker<ArmDecoder<ArmStage2, Arm16K>> { Hooks = hooks }
            : format == typeof(ArmStage2Format<ArmGranule64K>) ? new HardwareWalker<ArmDecoder<ArmStage2, Arm64K>> { Hooks = hooks }
            : format == typeof(RiscVFirstStageFormat) ? new HardwareWalker<RiscVDecoder<RiscVFirstStage>> { Hooks = hooks }
            : format == typeof(RiscVSecondStageFormat) ? new HardwareWalker<RiscVDecoder<RiscVSecondStage>> { Hooks = hooks }
            : new HardwareWalker<StatedDecoder<TFormat>> { Hooks = hooks };
    }

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
/// <typeparam name="TDecoder">How its entries are read.</typeparam>
/// <remarks>
/// An entry is decided by one 64-bit load. Accessed and dirty bits are set by compare-exchange against the entry that was read: when it changed
/// meanwhile, nothing of it is believed and the walk begins again, permissions included. What any entry on the way refuses is refused.
/// </remarks>
internal sealed unsafe class HardwareWalker<TDecoder> : HardwareWalker
    where TDecoder : struct, IEntryDecoder
{
    private static int IndexBits => TDecoder.GranuleLog2 - 3;

    internal override int TableShift => TDecoder.GranuleLog2 + IndexBits;

    // A root is aligned to its size: registers have no bits below it.
    internal override WalkRoot RootOf(PageTableRoot root, int addressBits)
    {
        int indexBits = TDecoder.RootIndexBits(addressBits, root.Levels);
        return new(root.Address.Value & ~((8UL << indexBits) - 1), root.Levels, indexBits);
    }

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
        int width = TDecoder.GranuleLog2 + ((root.Levels - 1) * IndexBits) + root.RootIndexBits;
        if (width >= 64)
        {
            return true;
        }

        return TDecoder.SignExtended ? (ulong)((long)(iova << (64 - width)) >> (64 - width)) == iova : iova >> width == 0;
    }

    private static int Shift(int level) => TDecoder.GranuleLog2 + (level * IndexBits);

    private Outcome Walk(
        PhysicalMemory memory, WalkRoot root, ulong iova, bool write, TranslationCache? tables, ref long sequence, long seen, ref WalkResult result)
    {
        int level = root.Levels - 1;
        ulong table = root.Address;
        int bits = root.RootIndexBits;
        ulong rights = DecodedEntry.CanRead | DecodedEntry.CanWrite;
        ulong tableKey = iova >> TableShift;
        if (tables is not null && level > 0 && tables.TryGet(tableKey, out ulong cached))
        {
            // As hardware does: what this cache says is not compared with the tables again.
            level = 0;
            table = cached & WalkResult.FrameMask;
            rights = cached & (DecodedEntry.CanRead | DecodedEntry.CanWrite);
            bits = IndexBits;
        }

        while (true)
        {
            ulong index = (iova >> Shift(level)) & ((1UL << bits) - 1);
            var slot = (ulong*)memory.PointerOrNull(new PhysicalAddress(table + (index * 8)), 8);
            if (slot == null)
            {
                return Refuse(IommuFaultReason.TableOutsideMemory, level, table, ref result);
            }

            // Acquire: what the table held when the entry that led here was stored is read after it.
            ulong entry = Volatile.Read(ref *slot);
            DecodedEntry decoded = TDecoder.Decode(entry, level);
            if (decoded.Kind is EntryKind.Hole or EntryKind.Reserved)
            {
                return Refuse(decoded.Kind == EntryKind.Hole ? IommuFaultReason.NotPresent : IommuFaultReason.Reserved, level, entry, ref result);
            }

            rights &= decoded.Rights;
            if ((rights & (write ? DecodedEntry.CanWrite : DecodedEntry.CanRead)) == 0)
            {
                return Refuse(write ? IommuFaultReason.WriteDenied : IommuFaultReason.ReadDenied, level, entry, ref result);
            }

            if (decoded.Kind == EntryKind.Leaf)
            {
                // Hardware may keep one translation for a whole run: an entry that is not its part of the run would lead two ways.
                ulong itemsMask = (1UL << decoded.Below) - (1UL << Shift(level));
                return TDecoder.RunsHoldOwnAddresses && ((decoded.Address ^ iova) & itemsMask) != 0
                    ? Refuse(IommuFaultReason.Reserved, level, entry, ref result)
                    : Access(slot, entry, decoded, rights, level, iova, write, ref result);
            }

            if ((entry & TDecoder.TableTouch) != TDecoder.TableTouch
                && Interlocked.CompareExchange(ref *slot, entry | TDecoder.TableTouch, entry) != entry)
            {
                return Outcome.Changed;
            }

            // Levels that an entry skips translate zeroes alone.
            if (((iova >> Shift(decoded.Below + 1)) & ((1UL << (Shift(level) - Shift(decoded.Below + 1))) - 1)) != 0)
            {
                return Refuse(IommuFaultReason.NotPresent, level, entry, ref result);
            }

            table = decoded.Address;
            level = decoded.Below;
            bits = IndexBits;
            if (level == 0)
            {
                tables?.Put(tableKey, table | rights, ref sequence, seen);
            }
        }
    }

    private Outcome Access(ulong* slot, ulong entry, in DecodedEntry leaf, ulong rights, int level, ulong iova, bool write, ref WalkResult result)
    {
        ulong touched = TDecoder.Touch(entry, write);
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

        ulong offsetMask = (1UL << leaf.Below) - 1;
        ulong frame = ((leaf.Address & ~offsetMask) | (iova & offsetMask)) & WalkResult.FrameMask;

        // A later write may go through the cache only if it finds the page dirty already, or dirty state is not tracked.
        result.Frame = frame | ((rights & DecodedEntry.CanRead) != 0 ? WalkResult.CanRead : 0);
        if ((rights & DecodedEntry.CanWrite) != 0)
        {
            result.Frame |= WalkResult.MayWrite | (TDecoder.Touch(touched, write: true) == touched ? WalkResult.CanWrite : 0);
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
