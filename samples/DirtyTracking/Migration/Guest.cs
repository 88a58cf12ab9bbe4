// The virtual machine that is migrated: its memory, its I/O address space, and the emulated IOMMU in front of it.
using IommuRcu;
using IommuRcu.Emulation;
using IommuRcu.Memory;

namespace DirtyTracking.Migration;

/// <summary>
/// The guest's memory lies behind one domain. The page at IOVA <see cref="IovaBase"/> + x is always the guest's page x, whenever it is mapped at all: so
/// every translation can be checked, although mappings come and go.
/// </summary>
internal sealed unsafe class Guest : IDisposable
{
    /// <summary>What a device maps and unmaps at once: as much as one lowest-level table covers, so that tables come and go with it.</summary>
    internal const ulong ChunkSize = 2UL << 20;
    internal const ulong PageSize = 4096;
    internal const int MinChunks = 4;

    private readonly ulong _tableBytes;
    private readonly FreeAtOnce? _freeAtOnce;
    private bool _running = true;

    internal Guest(MigrationOptions options)
    {
        Size = options.Size;

        // Tables for everything, and again as much for those that wait for a grace period.
        _tableBytes = (64UL << 20) + (Size / 256);
        _tableBytes &= ~(ChunkSize - 1);
        Memory = PhysicalMemory.Allocate(_tableBytes + Size);

        // Freed pages are filled with a pattern: a reader that comes too late is recognised by what it reads.
        Pages = new PageAllocator(Memory, new PageAllocatorOptions
        {
            Ranges = [PhysicalRange.OfSize(new PhysicalAddress(0), _tableBytes)],
            PoisonFreedPages = true,
        });
        Iommu = new EmulatedIommu(Memory);
        _freeAtOnce = options.UnsafeFree ? new FreeAtOnce() : null;
        Domain = IommuDomain.Create(PageTableFormat.VtdSecondStage, new IommuDomainOptions
        {
            PageAllocator = Pages,
            Invalidator = Iommu,
            RetireStrategy = _freeAtOnce ?? RetireStrategy.CallbackPerList,

            // As a hypervisor does while it migrates: dirty state of 4 KiB pages.
            PageSizes = PageSize,
        });
        Harvested = new DirtyBitmap(IovaBase, Size);
        Fill(options.Seed);
    }

    internal static Iova IovaBase => new(1UL << 32);

    internal ulong Size { get; }

    internal int Chunks => (int)(Size / ChunkSize);

    internal int PageCount => (int)(Size / PageSize);

    internal PhysicalMemory Memory { get; }

    internal PageAllocator Pages { get; }

    internal EmulatedIommu Iommu { get; }

    internal IommuDomain Domain { get; }

    /// <summary>What buffers left behind as dirty when they were unmapped, published after their flush.</summary>
    internal DirtyBitmap Harvested { get; }

    /// <summary>Pages that the strategy of this sample freed without a grace period.</summary>
    internal long FreedAtOnce => _freeAtOnce?.Freed ?? 0;

    /// <summary>The guest's own bytes.</summary>
    internal byte* Bytes => Memory.GetPointer(new PhysicalAddress(_tableBytes), Size);

    internal static Iova IovaOfChunk(int chunk) => IovaBase + ((ulong)chunk * ChunkSize);

    /// <summary>Where an IOVA must lead, if it leads anywhere.</summary>
    internal PhysicalAddress Expected(Iova iova) => new(_tableBytes + (iova.Value - IovaBase.Value));

    internal void Map(int chunk)
    {
        Iova iova = IovaOfChunk(chunk);
        Domain.Map(iova, Expected(iova), ChunkSize, IommuAccess.Read | IommuAccess.Write);
    }

    /// <summary>Tears everything down, in the only order that is right, and tells how many pages never came back.</summary>
    internal long TearDown()
    {
        if (!_running)
        {
            return 0;
        }

        _running = false;
        Iommu.Dispose();
        Domain.Dispose();
        Rcu.Barrier();
        return Pages.LivePages;
    }

    public void Dispose()
    {
        if (TearDown() == 0)
        {
            Memory.Dispose();
        }
    }

    private void Fill(int seed)
    {
        var state = (ulong)seed * 0x9E37_79B9_7F4A_7C15;
        var words = (ulong*)Bytes;
        for (ulong i = 0; i < Size / 8; i++)
        {
            words[i] = Mixing.Next(ref state);
        }
    }
}
