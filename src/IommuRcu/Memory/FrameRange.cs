// A run of frames with its descriptors: one of the ranges that an allocator takes its pages from.
using System.Runtime.InteropServices;

namespace IommuRcu.Memory;

/// <summary>The frames of one range and the array of their descriptors, one cache line each.</summary>
internal sealed unsafe class FrameRange
{
    private readonly void* _block;

    private FrameRange(ulong firstFrame, long frames, byte* pointer)
    {
        FirstFrame = firstFrame;
        Frames = frames;
        Pointer = pointer;

        // Zeroed lazily by the system: a range that is never used costs address space only.
        _block = NativeMemory.AllocZeroed((nuint)(frames + 1), PageDescriptor.Size);
        Descriptors = (PageDescriptor*)(((ulong)_block + (PageDescriptor.Size - 1)) & ~(PageDescriptor.Size - 1UL));
    }

    /// <summary>The physical frame number (address / 4 KiB) of the first frame.</summary>
    internal ulong FirstFrame { get; }

    internal long Frames { get; }

    internal byte* Pointer { get; }

    internal PageDescriptor* Descriptors { get; }

    /// <summary>Narrows a range to whole frames; null if none is left.</summary>
    internal static FrameRange? Create(PhysicalMemory memory, PhysicalRange range)
    {
        if (range.Last < range.First)
        {
            throw new ArgumentException($"The range {range} ends before it begins.", nameof(range));
        }

        // By frame numbers: the last address may be 2^64 - 1. Frame 0 is left out.
        ulong first = (range.First.Value >> 12) + (range.First.Value % MemoryWindow.PageSize == 0 ? 0UL : 1UL);
        ulong last = range.Last.Value % MemoryWindow.PageSize == MemoryWindow.PageSize - 1 ? range.Last.Value >> 12 : (range.Last.Value >> 12) - 1;
        first = Math.Max(first, 1);
        if (range.Last.Value < MemoryWindow.PageSize - 1 || last < first)
        {
            return null;
        }

        ulong frames = last - first + 1;
        if (frames > (1UL << 52) || !memory.TryGetPointer(new PhysicalAddress(first << 12), frames << 12, out byte* pointer))
        {
            throw new ArgumentException($"The range {range} does not lie in one window of the memory.", nameof(range));
        }

        return new FrameRange(first, (long)frames, pointer);
    }

    /// <summary>Tells whether a frame is in both ranges.</summary>
    internal bool Overlaps(FrameRange other)
        => FirstFrame < other.FirstFrame + (ulong)other.Frames && other.FirstFrame < FirstFrame + (ulong)Frames;

    public override string ToString() => PhysicalRange.OfSize(new PhysicalAddress(FirstFrame << 12), (ulong)Frames << 12).ToString();

    internal void Release() => NativeMemory.Free(_block);
}
