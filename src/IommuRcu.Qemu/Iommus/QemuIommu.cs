// What the drivers of all emulated IOMMUs have in common: their structures in guest memory, attachment, invalidation, faults.
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Qemu.Iommus;

/// <summary>
/// Drives one emulated IOMMU for one domain: all devices that are attached use the domain's tables. It is the invalidator that the
/// domain is created with. Invalidations may come from any thread; the rest belongs to one thread.
/// </summary>
public abstract class QemuIommu : IIommuInvalidator
{
    /// <summary>How much guest memory a driver's structures take, in bytes.</summary>
    public const ulong StructuresSize = 16UL << 20;

    private readonly List<ushort> _attached = [];
    private PhysicalAddress _nextStructure;
    private readonly PhysicalAddress _structuresEnd;

    /// <summary>Prepares a driver; the IOMMU is not touched yet.</summary>
    /// <param name="machine">The machine that has the IOMMU.</param>
    /// <param name="structures">Guest memory for the IOMMU's own tables and queues: <see cref="StructuresSize"/> bytes, all zero, aligned to 64 KiB.</param>
    /// <exception cref="ArgumentException">The range is not memory, or not aligned.</exception>
    protected QemuIommu(QemuMachine machine, PhysicalAddress structures)
    {
        ArgumentNullException.ThrowIfNull(machine);
        if ((structures.Value & 0xffff) != 0 || !machine.Memory.Contains(structures, StructuresSize))
        {
            throw new ArgumentException("The structures need a range of memory that is aligned to 64 KiB.", nameof(structures));
        }
        Machine = machine;
        Structures = structures;
        _nextStructure = structures;
        _structuresEnd = structures + StructuresSize;
    }

    /// <summary>The machine that has the IOMMU.</summary>
    public QemuMachine Machine { get; }

    /// <summary>Where the IOMMU's own tables and queues begin.</summary>
    public PhysicalAddress Structures { get; }

    /// <summary>Whether refused accesses are recorded at all.</summary>
    public virtual bool RecordsFaults => true;

    /// <summary>How many refused accesses can wait to be read before further ones are lost.</summary>
    public abstract int FaultCapacity { get; }

    /// <summary>Invalidations of ranges done so far.</summary>
    public long Invalidations { get; private set; }

    /// <summary>How long the IOMMU may take to do what it is told. Generous: on a busy machine QEMU waits for its turn.</summary>
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>How often the queue of commands has come to its end and begun anew.</summary>
    public long QueueWraps { get; protected set; }

    /// <summary>The devices that are attached.</summary>
    protected IReadOnlyList<ushort> Attached => _attached;

    /// <summary>The lock of the command queue and of the structures.</summary>
    protected Lock Commands { get; } = new();

    /// <summary>Switches translation on, with no device attached: every DMA is refused.</summary>
    /// <exception cref="QemuException">The IOMMU did not obey in time, or lacks what is needed.</exception>
    public abstract void Enable();

    /// <summary>Lets a device's DMA go through the tables at a root.</summary>
    /// <param name="requesterId">The device.</param>
    /// <param name="root">The domain's root.</param>
    /// <exception cref="QemuException">The IOMMU did not obey in time.</exception>
    public void Attach(ushort requesterId, PageTableRoot root)
    {
        lock (Commands)
        {
            WriteDeviceEntry(requesterId, root);
            if (!_attached.Contains(requesterId))
            {
                _attached.Add(requesterId);
            }
        }
    }

    /// <summary>Lets all <c>edu</c> devices' DMA go through the tables at a root.</summary>
    /// <param name="root">The domain's root.</param>
    public void AttachAll(PageTableRoot root)
    {
        foreach (Devices.EduDevice edu in Machine.Edus)
        {
            Attach(edu.Function.RequesterId, root);
        }
    }

    /// <inheritdoc/>
    public void Invalidate(IovaRange range, bool tablesFreed)
    {
        lock (Commands)
        {
            Invalidations++;
            InvalidateRange(range, tablesFreed);
        }
    }

    /// <inheritdoc/>
    public void RootChanged(PageTableRoot root)
    {
        lock (Commands)
        {
            foreach (ushort device in _attached)
            {
                WriteDeviceEntry(device, root);
            }
        }
    }

    /// <summary>Puts any command into the queue, and waits until the IOMMU has carried it out.</summary>
    /// <param name="low">The first 64 bits.</param>
    /// <param name="high">The second 64 bits; what follows them is zero.</param>
    /// <exception cref="QemuException">The IOMMU refused it, says so where it can, or did not finish in time.</exception>
    public void Submit(ulong low, ulong high)
    {
        lock (Commands)
        {
            SubmitCommand(low, high);
        }
    }

    /// <summary>Takes the oldest refused access that is recorded.</summary>
    /// <returns>The record, or null where there is none.</returns>
    public abstract IommuFault? TakeFault();

    /// <summary>Forgets all refused accesses that are recorded, and that some were lost.</summary>
    public virtual void DropFaults()
    {
        while (TakeFault() is not null)
        {
            // One record at a time, where there are few.
        }
    }

    /// <summary>Writes the device's entry, and invalidates what is cached of it. The lock is held.</summary>
    protected abstract void WriteDeviceEntry(ushort requesterId, PageTableRoot root);

    /// <summary>Invalidates a range and waits until it is drained. The lock is held.</summary>
    protected abstract void InvalidateRange(IovaRange range, bool tablesFreed);

    /// <summary>Queues a command and waits until it is done. The lock is held.</summary>
    protected abstract void SubmitCommand(ulong low, ulong high);

    /// <summary>Says where the queue of commands stands, and what errors the registers show.</summary>
    protected abstract string DescribeQueue();

    /// <summary>Takes zeroed memory for a table or a queue.</summary>
    /// <param name="size">The size in bytes, a power of two: also its alignment.</param>
    protected PhysicalAddress TakeStructure(ulong size)
    {
        var address = new PhysicalAddress((_nextStructure.Value + size - 1) & ~(size - 1));
        _nextStructure = address + size;
        return _nextStructure <= _structuresEnd ? address : throw new QemuException("The IOMMU's structures are full.");
    }

    /// <summary>Writes one 64-bit word of a structure, so that the IOMMU sees it no earlier than what was written before.</summary>
    protected void WriteWord(PhysicalAddress address, ulong value) => Volatile.Write(ref Machine.Memory.Word(address), value);

    /// <summary>Reads one 64-bit word of a structure that the IOMMU may write.</summary>
    protected ulong ReadWord(PhysicalAddress address) => Volatile.Read(ref Machine.Memory.Word(address));

    /// <summary>Waits until a condition holds, asking the machine again each time.</summary>
    /// <param name="condition">What is waited for.</param>
    /// <param name="what">Its name, for the error.</param>
    /// <exception cref="QemuException">It did not come in time.</exception>
    protected void WaitFor(Func<bool> condition, string what)
    {
        long deadline = Environment.TickCount64 + (long)CommandTimeout.TotalMilliseconds;
        while (!condition())
        {
            if (Environment.TickCount64 > deadline)
            {
                throw new QemuException($"Waited {CommandTimeout.TotalSeconds:0.#} s for {GetType().Name} to {what}: {DescribeQueue()}. {Machine.Errors}");
            }
        }
    }

    /// <summary>Splits a range into naturally aligned power-of-two blocks, which most invalidation commands take.</summary>
    /// <param name="range">The range; it is widened to whole pages.</param>
    /// <param name="maxLog2">The largest block, as log2 of bytes.</param>
    /// <param name="limit">How many blocks at most.</param>
    /// <returns>The blocks, or null where there are more than the limit: then everything of the domain is to be invalidated.</returns>
    protected static List<(Iova First, int SizeLog2)>? Blocks(IovaRange range, int maxLog2, int limit)
    {
        const int PageLog2 = 12;
        var blocks = new List<(Iova, int)>();
        ulong first = range.First.Value >> PageLog2;
        ulong last = range.Last.Value >> PageLog2;
        while (true)
        {
            int aligned = first == 0 ? 64 - PageLog2 : (int)ulong.TrailingZeroCount(first);
            int fits = (int)ulong.Log2(last - first + 1);
            int log2 = int.Min(int.Min(aligned, fits), maxLog2 - PageLog2);
            if (blocks.Count == limit)
            {
                return null;
            }
            blocks.Add((new Iova(first << PageLog2), log2 + PageLog2));
            first += 1UL << log2;
            if (first > last)
            {
                return blocks;
            }
        }
    }
}
