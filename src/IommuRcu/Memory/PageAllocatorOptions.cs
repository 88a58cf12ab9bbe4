// How a page allocator is set up.
namespace IommuRcu.Memory;

/// <summary>From where a <see cref="PageAllocator"/> takes its pages, and how many.</summary>
public sealed record PageAllocatorOptions
{
    /// <summary>Gets the ranges of physical addresses to allocate from, each within one window. <see langword="null"/>: all windows that the memory has.</summary>
    /// <remarks>The ranges are narrowed to whole 4 KiB frames. The frame at physical address 0 is never handed out: an entry of 0 must mean nothing.</remarks>
    public IReadOnlyList<PhysicalRange>? Ranges { get; init; }

    /// <summary>Gets the most bytes that may be in use at once: allocated, linked or on their way back.</summary>
    public ulong LimitBytes { get; init; } = ulong.MaxValue;

    /// <summary>
    /// Gets whether a freed page is filled with <see cref="PageAllocator.Poison"/>: what a reader sees that comes too late. When the page is allocated again, the
    /// pattern must be whole; <see cref="PageAllocator.DamagedPages"/> counts where it was not.
    /// </summary>
    public bool PoisonFreedPages { get; init; }
}
