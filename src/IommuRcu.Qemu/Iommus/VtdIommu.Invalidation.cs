// VT-d: invalidation by queue or by registers. (VT-d specification, chapter 6.)
namespace IommuRcu.Qemu.Iommus;

public sealed partial class VtdIommu
{
    private const ulong QueueSize = 1UL << 16;
    private const ulong DrainReadsAndWrites = 3UL << 6;
    private readonly PhysicalAddress _queue;
    private readonly PhysicalAddress _waitStatus;
    private ulong _queueTail;
    private uint _waitNumber;

    // Scalable mode has 256-bit descriptors, legacy mode 128-bit ones.
    private ulong DescriptorSize => Mode == VtdMode.Legacy ? 16UL : 32UL;

    /// <inheritdoc/>
    protected override void InvalidateRange(IovaRange range, bool tablesFreed)
    {
        if (Blocks(range, InvalidateBlockMaxLog2, InvalidateBlockLimit) is not { } blocks)
        {
            InvalidateDomain();
            return;
        }
        foreach ((Iova first, int log2) in blocks)
        {
            // The invalidation hint (bit 6) says that no table changed: hardware then keeps its paging-structure caches.
            ulong where = first.Value | (tablesFreed ? 0 : 1UL << 6) | (uint)(log2 - 12);
            const ulong PageSelective = 3;
            if (Invalidation == VtdInvalidation.Registers)
            {
                InvalidateByRegister(PageSelective, where);
            }
            else if (Mode == VtdMode.ScalableFirstStage)
            {
                Queue(0x6 | (PageSelective << 4) | ((ulong)DomainId << 16), where);
            }
            else
            {
                Queue(0x2 | (PageSelective << 4) | DrainReadsAndWrites | ((ulong)DomainId << 16), where);
            }
        }
        Drain();
    }

    private void InvalidateDomain()
    {
        const ulong DomainSelective = 2;
        if (Invalidation == VtdInvalidation.Registers)
        {
            InvalidateByRegister(DomainSelective, 0);
            return;
        }
        if (Mode == VtdMode.ScalableFirstStage)
        {
            // Of the first stage: everything of PASID 0 in the domain.
            Queue(0x6 | (2UL << 4) | ((ulong)DomainId << 16), 0);
        }
        Queue(0x2 | (DomainSelective << 4) | DrainReadsAndWrites | ((ulong)DomainId << 16), 0);
        Drain();
    }

    /// <inheritdoc/>
    protected override void SubmitCommand(ulong low, ulong high)
    {
        if (Invalidation == VtdInvalidation.Registers)
        {
            throw new InvalidOperationException("VT-d is driven by registers: there is no queue.");
        }
        Queue(low, high);
        Drain();
    }

    /// <inheritdoc/>
    protected override string DescribeQueue() =>
        $"queue head 0x{Machine.Qtest.Read64(Registers + QueueHeadRegister):x}, tail 0x{_queueTail:x}, "
        + $"fault status 0x{Machine.Qtest.Read32(Registers + FaultStatusRegister):x}";

    private void InvalidateContexts()
    {
        if (Invalidation == VtdInvalidation.Registers)
        {
            const ulong Start = 1UL << 63;
            const ulong Global = 1UL << 61;
            Machine.Qtest.Write64(Registers + ContextCommandRegister, Start | Global);
            WaitFor(() => (Machine.Qtest.Read64(Registers + ContextCommandRegister) & Start) == 0, "invalidate its context cache");
            CheckGranularity(Machine.Qtest.Read64(Registers + ContextCommandRegister) >> 59, "contexts");
            return;
        }
        Queue(0x1 | (1UL << 4), 0);
        if (Mode != VtdMode.Legacy)
        {
            // The PASID cache, globally.
            Queue(0x7 | (3UL << 4), 0);
        }
        Drain();
    }

    private void InvalidateByRegister(ulong granularity, ulong where)
    {
        const ulong Start = 1UL << 63;
        const ulong DrainReads = 1UL << 49;
        const ulong DrainWrites = 1UL << 48;
        Machine.Qtest.Write64(_iotlbRegister, where);
        Machine.Qtest.Write64(_iotlbRegister + 8, Start | (granularity << 60) | DrainReads | DrainWrites | ((ulong)DomainId << 32));
        WaitFor(() => (Machine.Qtest.Read64(_iotlbRegister + 8) & Start) == 0, "invalidate its IOTLB");
        CheckGranularity(Machine.Qtest.Read64(_iotlbRegister + 8) >> 57, "translations");
    }

    // The register says how much was invalidated: 0 stands for nothing, as the request was wrong.
    private static void CheckGranularity(ulong actual, string what)
    {
        if ((actual & 3) == 0)
        {
            throw new QemuException($"VT-d refused to invalidate {what}.");
        }
    }

    private void EnableQueue()
    {
        const ulong WideDescriptors = 1UL << 11;
        ulong order = ulong.Log2(QueueSize) - 12;
        Machine.Qtest.Write64(Registers + QueueTailRegister, 0);
        Machine.Qtest.Write64(Registers + QueueAddressRegister, _queue.Value | order | (Mode == VtdMode.Legacy ? 0 : WideDescriptors));
        CommandAndKeep(QueueEnable);
    }

    // Descriptors go to memory; the tail moves in Drain. A range has far fewer blocks than the queue has places.
    private void Queue(ulong low, ulong high)
    {
        PhysicalAddress at = _queue + _queueTail;
        for (ulong i = 16; i < DescriptorSize; i += 8)
        {
            WriteWord(at + i, 0);
        }
        WriteWord(at + 8, high);
        WriteWord(at, low);
        _queueTail = (_queueTail + DescriptorSize) & (QueueSize - 1);
        QueueWraps += _queueTail == 0 ? 1 : 0;
    }

    // A wait descriptor writes a number when all before it is done.
    private void Drain()
    {
        if (Invalidation == VtdInvalidation.Registers)
        {
            return;
        }
        const ulong WriteStatus = 1UL << 5;
        uint number = ++_waitNumber;
        Queue(0x5 | WriteStatus | ((ulong)number << 32), _waitStatus.Value);
        Machine.Qtest.Write64(Registers + QueueTailRegister, _queueTail);
        WaitFor(
            () =>
            {
                // Queue error, and of device caches completion error and time-out: any of them stops the queue.
                const uint QueueErrors = 7u << 4;
                return (Machine.Qtest.Read32(Registers + FaultStatusRegister) & QueueErrors) == 0
                    ? (uint)ReadWord(_waitStatus) == number
                    : throw new QemuException($"VT-d refused an invalidation descriptor: {DescribeQueue()}. {Machine.Errors}");
            },
            "finish its invalidation queue");
    }
}
