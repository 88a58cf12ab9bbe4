// Memory, an allocator and a domain for one test, taken down in order and checked for leaks.
using IommuRcu.Memory;

namespace IommuRcu.Tests.Domains;

internal sealed class DomainFixture : IDisposable
{
    private readonly PhysicalMemory _memory;

    public DomainFixture(PageTableFormat? format = null, Func<IommuDomainOptions, IommuDomainOptions>? configure = null, ulong memoryBytes = 64UL << 20, ulong limitBytes = ulong.MaxValue)
    {
        _memory = PhysicalMemory.Allocate(new PhysicalAddress(0x1000_0000), memoryBytes);
        Allocator = new PageAllocator(_memory, new PageAllocatorOptions { PoisonFreedPages = true, LimitBytes = limitBytes });
        var options = new IommuDomainOptions { PageAllocator = Allocator, Invalidator = Hardware };
        Domain = IommuDomain.Create(format ?? PageTableFormat.VtdSecondStage, configure?.Invoke(options) ?? options);
    }

    public PageAllocator Allocator { get; }

    public IommuDomain Domain { get; }

    public RecordingInvalidator Hardware { get; } = new();

    public static Iova Iova(ulong value) => new(value);

    public static PhysicalAddress Pa(ulong value) => new(value);

    /// <summary>Reads an entry as the hardware would: by physical address.</summary>
    public unsafe ulong Entry(PhysicalAddress table, int index)
        => Volatile.Read(ref *(ulong*)_memory.GetPointer(table + (8 * (ulong)index), 8));

    public void Dispose()
    {
        Domain.Dispose();
        Assert.Equal(0, Allocator.LivePages);
        Allocator.Dispose();
        _memory.Dispose();
    }
}
