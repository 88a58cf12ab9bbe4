// A device behind the emulated IOMMU: its DMA, translated page by page.
using System.Runtime.CompilerServices;

namespace IommuRcu.Emulation;

/// <summary>A device that is known to an <see cref="EmulatedIommu"/>: does DMA, through what it is attached to.</summary>
/// <remarks>
/// Any number of threads may do DMA through one device. A DMA is not a read-side section: as with hardware, only an invalidation that returns when
/// all is drained keeps it off what was unmapped. What is transferred at once within one page is copied as memory copies are: larger than 8 bytes it may be torn.
/// </remarks>
public sealed unsafe class EmulatedDevice
{
    private const ulong FrameSize = 4096;

    private readonly EmulatedIommu _iommu;
    private readonly TranslationCache _iotlb;
    private readonly TranslationCache? _tables;
    private TranslationContext? _context;

    internal EmulatedDevice(EmulatedIommu iommu, int id, EmulatedIommuOptions options)
    {
        _iommu = iommu;
        Id = id;
        _iotlb = new TranslationCache(options.IotlbEntries);
        _tables = options.CachesTables ? new TranslationCache(64) : null;
    }

    /// <summary>Gets the device's id.</summary>
    public int Id { get; }

    /// <summary>Gets whether a domain is attached.</summary>
    public bool IsAttached => Volatile.Read(ref _context) is not null;

    internal TranslationContext? Context
    {
        get => Volatile.Read(ref _context);
        set => Volatile.Write(ref _context, value);
    }

    /// <summary>Reads memory as the device: through the IOMMU.</summary>
    /// <param name="iova">The first IOVA.</param>
    /// <param name="destination">Receives the bytes. After a fault it holds those before the page at fault.</param>
    /// <returns><see langword="false"/> if a page was refused; the fault is recorded.</returns>
    public bool DmaRead(Iova iova, Span<byte> destination)
    {
        fixed (byte* bytes = destination)
        {
            return Transfer(iova.Value, bytes, (ulong)destination.Length, write: false);
        }
    }

    /// <summary>Writes memory as the device: through the IOMMU, which marks the pages dirty before their bytes change.</summary>
    /// <param name="iova">The first IOVA.</param>
    /// <param name="source">The bytes. After a fault those before the page at fault are written.</param>
    /// <returns><see langword="false"/> if a page was refused; the fault is recorded.</returns>
    public bool DmaWrite(Iova iova, ReadOnlySpan<byte> source)
    {
        fixed (byte* bytes = source)
        {
            return Transfer(iova.Value, bytes, (ulong)source.Length, write: true);
        }
    }

    internal void Sweep(IovaRange range, bool tablesFreed, int tableShift)
    {
        _iotlb.Remove(range.First.Value >> 12, range.Last.Value >> 12);
        if (tablesFreed)
        {
            _tables?.Remove(range.First.Value >> tableShift, range.Last.Value >> tableShift);
        }
    }

    internal void SweepAll()
    {
        _iotlb.Remove(0, ulong.MaxValue >> 1);
        _tables?.Remove(0, ulong.MaxValue >> 1);
    }

    private bool Transfer(ulong iova, byte* bytes, ulong length, bool write)
    {
        DmaSlot slot = _iommu.Slots.Mine();

        // From here to Exit an invalidation waits for this transfer. Nothing in between calls back, waits or throws.
        slot.Enter();
        try
        {
            Volatile.Write(ref slot.Transfers, slot.Transfers + 1);
            ulong at = iova;
            while (length != 0)
            {
                ulong size = Math.Min(length, FrameSize - (at & (FrameSize - 1)));
                if (at < iova || !TryTranslate(slot, at, write, out byte* memory))
                {
                    if (at < iova)
                    {
                        // Past 2^64.
                        Record(at, write, new WalkResult { Reason = IommuFaultReason.OutsideAperture, Level = -1 });
                    }

                    return false;
                }

                _iommu.Hooks?.BeforeCopy?.Invoke(new Iova(at));
                if (write)
                {
                    Unsafe.CopyBlockUnaligned(memory, bytes, (uint)size);
                }
                else
                {
                    Unsafe.CopyBlockUnaligned(bytes, memory, (uint)size);
                }

                Volatile.Write(ref slot.Bytes, slot.Bytes + (long)size);
                at += size;
                bytes += size;
                length -= size;
            }

            return true;
        }
        finally
        {
            slot.Exit();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryTranslate(DmaSlot slot, ulong iova, bool write, out byte* memory)
    {
        if (_iotlb.TryGet(iova >> 12, out ulong frame) && (frame & (write ? WalkResult.CanWrite : WalkResult.CanRead)) != 0)
        {
            Volatile.Write(ref slot.Hits, slot.Hits + 1);
            memory = _iommu.Memory.PointerOrNull(new PhysicalAddress((frame & WalkResult.FrameMask) | (iova & (FrameSize - 1))), 1);
            return true;
        }

        return TryWalk(slot, iova, write, out memory);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryWalk(DmaSlot slot, ulong iova, bool write, out byte* memory)
    {
        Volatile.Write(ref slot.Misses, slot.Misses + 1);
        memory = null;
        TranslationContext? context = Context;
        if (context is null)
        {
            Record(iova, write, new WalkResult { Reason = IommuFaultReason.NotAttached, Level = -1 });
            return false;
        }

        // What is cached decides, right or stale: only a page that may be written and is not dirty yet is walked again.
        if (_iotlb.TryGet(iova >> 12, out ulong frame) && (frame & (write ? WalkResult.MayWrite : WalkResult.CanRead)) == 0)
        {
            Record(iova, write, new WalkResult { Reason = write ? IommuFaultReason.WriteDenied : IommuFaultReason.ReadDenied, Level = -1 });
            return false;
        }

        // Before the first entry is read: an invalidation after this keeps the result out of the caches.
        long seen = Volatile.Read(ref context.Sequence);
        if (!context.Walker.TryWalk(
            _iommu.Memory, context.Root, iova, write, _tables, ref context.Sequence, seen, ref slot.Restarts, out WalkResult result))
        {
            Record(iova, write, result);
            return false;
        }

        memory = _iommu.Memory.PointerOrNull(new PhysicalAddress((result.Frame & WalkResult.FrameMask) | (iova & (FrameSize - 1))), 1);
        if (memory == null)
        {
            result.Reason = IommuFaultReason.PageOutsideMemory;
            Record(iova, write, result);
            return false;
        }

        _iommu.Hooks?.BeforeCaching?.Invoke(new Iova(iova));
        _iotlb.Put(iova >> 12, result.Frame, ref context.Sequence, seen, _iommu.Hooks is { CachesOvertakenWalks: true });
        return true;
    }

    private void Record(ulong iova, bool write, in WalkResult result) => _iommu.Faults.Record(new IommuFault
    {
        DeviceId = Id,
        Iova = new Iova(iova),
        IsWrite = write,
        Reason = result.Reason,
        Level = result.Level,
        RawEntry = result.RawEntry,
    });
}
