// No hot path allocates on the managed heap: not a byte, over a thousand calls of each, once the thread's first-time costs are paid.
using System.Runtime.InteropServices;
using IommuRcu.Memory;

namespace IommuRcu.Tests.Allocations;

public sealed unsafe class HotPathAllocationTests : IDisposable
{
    private const ulong Page = 4096;
    private const ulong LargePage = 1UL << 21;
    private const IommuAccess Access = IommuAccess.Read | IommuAccess.Write;
    private static readonly PhysicalAddress _target = new((1UL << 33) + Page);
    private static readonly Iova _start = new(1UL << 30);

    private readonly PhysicalMemory _memory = PhysicalMemory.Allocate(32UL << 20);
    private readonly PageAllocator _allocator;

    public HotPathAllocationTests() => _allocator = new PageAllocator(_memory);

    public static TheoryData<string> Formats() =>
    [
        nameof(PageTableFormat.VtdSecondStage), nameof(PageTableFormat.AmdV1), nameof(PageTableFormat.X86FirstStage), nameof(PageTableFormat.ArmStage1),
        nameof(PageTableFormat.ArmStage2), nameof(PageTableFormat.RiscVFirstStage), nameof(PageTableFormat.RiscVSecondStage),
    ];

    public void Dispose()
    {
        Rcu.Barrier();
        _allocator.Dispose();
        _memory.Dispose();
    }

    [Fact]
    public void ReadSection_AllocatesNothing() => AssertAllocatesNothing(() =>
    {
        using (Rcu.ReadLock())
        {
            using (Rcu.ReadLock())
            {
                Rcu.AssertReadLockHeld();
            }
        }
    });

    [Fact]
    public void Synchronize_AllocatesNothing() => AssertAllocatesNothing(Rcu.Synchronize, calls: 100);

    [Fact]
    public void Call_AllocatesNothing()
    {
        var head = (RcuHead*)NativeMemory.AllocZeroed((nuint)sizeof(RcuHead));
        AssertAllocatesNothing(
            () =>
            {
                Rcu.Call(head, &Nothing);
                Rcu.Barrier();
            },
            calls: 20);
        NativeMemory.Free(head);
    }

    [Fact]
    public void DeferredFreeOfNativeBlock_AllocatesNothing()
    {
        AssertAllocatesNothing(() => Rcu.Free(NativeMemory.Alloc(64)));
        Rcu.Barrier();
    }

    [Fact]
    public void PageAllocation_AllocatesNothing() => AssertAllocatesNothing(() => _allocator.Free(_allocator.Allocate()));

    [Theory]
    [MemberData(nameof(Formats))]
    public void MapAndUnmapOfOnePage_AllocatesNothing(string format)
    {
        using IommuDomain domain = Create(format);
        AssertAllocatesNothing(() =>
        {
            domain.Map(_start, _target, Granule(domain), Access);
            domain.Unmap(_start, Granule(domain));
        });
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void MapAndUnmapOfWholeTable_AllocatesNothing(string format)
    {
        // The table is allocated, gathered, retired and freed each time.
        using IommuDomain domain = Create(format);
        AssertAllocatesNothing(() =>
        {
            domain.Map(_start, _target, LargePage, Access);
            var gather = new IotlbGather(domain);
            domain.Unmap(_start, LargePage, ref gather);
            gather.Sync();
        });
        Rcu.Barrier();
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void HarvestingUnmap_AllocatesNothing(string format)
    {
        using IommuDomain domain = Create(format);
        var bitmap = new DirtyBitmap(_start, LargePage);
        AssertAllocatesNothing(() =>
        {
            domain.Map(_start, _target, 16 * Page, Access);
            var gather = new IotlbGather(domain);
            domain.Unmap(_start, 16 * Page, ref gather, bitmap);
            gather.Dispose();
        });
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Reading_AllocatesNothing(string format)
    {
        using IommuDomain domain = Create(format);
        domain.Map(_start, _target, LargePage, Access);
        var bitmap = new DirtyBitmap(_start, LargePage);
        AssertAllocatesNothing(() => domain.TryTranslate(_start, out _));
        AssertAllocatesNothing(() => domain.TryTranslate(new Iova(0), out _)); // a miss
        AssertAllocatesNothing(
            () =>
            {
                using (Rcu.ReadLock())
                {
                    foreach (PageTableLeaf leaf in domain.Walk(_start, LargePage))
                    {
                        _ = leaf;
                    }
                }
            },
            calls: 50);
        AssertAllocatesNothing(() => domain.ReadDirty(_start, LargePage, bitmap, DirtyReadMode.ReadAndClear));
        AssertAllocatesNothing(() => domain.ReadDirty(_start, LargePage, bitmap, DirtyReadMode.Peek));
    }

    [Fact]
    public void Allocation_IsFound()
    {
        object? kept = null;
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => AssertAllocatesNothing(() => kept = new object()));
        Assert.NotNull(kept);
    }

    private static void Nothing(RcuHead* head)
    {
    }

    private static ulong Granule(IommuDomain domain) => 1UL << domain.GranuleLog2;

    private static void AssertAllocatesNothing(Action action, int calls = 1000)
    {
        // First calls compile, start the callback thread, register this one; and fill what is kept for later.
        for (int i = 0; i < calls; i++)
        {
            action();
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < calls; i++)
        {
            action();
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private IommuDomain Create(string format) => IommuDomain.Create(
        (PageTableFormat)typeof(PageTableFormat).GetProperty(format)!.GetValue(null)!,
        new IommuDomainOptions { PageAllocator = _allocator });
}
