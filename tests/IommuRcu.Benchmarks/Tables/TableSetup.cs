// What every measurement on page tables starts from: memory, an allocator, and a domain of one format with reclaim of empty tables on.
using IommuRcu.Memory;

namespace IommuRcu.Benchmarks.Tables;

/// <summary>A domain with its allocator and memory. No hardware: nothing is invalidated.</summary>
internal sealed class TableSetup : IDisposable
{
    public const ulong Page = 1UL << 12;
    public const ulong LargePage = 1UL << 21;
    public const ulong Gigabyte = 1UL << 30;

    /// <summary>
    /// An address to map that no IOVA of ours agrees with in bit 12: whatever larger pages or contiguous runs a format has, only 4 KiB pages fit.
    /// </summary>
    public static readonly PhysicalAddress OddAddress = new((1UL << 33) + Page);

    private readonly PhysicalMemory _memory;

    public TableSetup(PageTableFormat format, ulong memory = 64UL << 20, RetireStrategy? strategy = null)
    {
        _memory = PhysicalMemory.Allocate(memory);
        Allocator = new PageAllocator(_memory);
        var options = new IommuDomainOptions { PageAllocator = Allocator };
        Domain = IommuDomain.Create(format, strategy is null ? options : options with { RetireStrategy = strategy });
    }

    public PageAllocator Allocator { get; }

    public IommuDomain Domain { get; }

    public PhysicalMemory Memory => _memory;

    /// <summary>Maps a range with 4 KiB pages, whatever its alignment.</summary>
    public void MapSmallPages(Iova iova, ulong size) => Domain.Map(iova, OddAddress, size, IommuAccess.Read | IommuAccess.Write);

    public void Dispose()
    {
        Domain.Dispose();
        Rcu.Barrier();
        Allocator.Dispose();
        _memory.Dispose();
    }
}
