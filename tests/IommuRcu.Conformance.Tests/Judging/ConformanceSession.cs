// One running comparison: a domain of the library, its tables in the guest's memory, an emulated IOMMU that walks them, and the truth.
using IommuRcu.Memory;
using IommuRcu.Qemu.Devices;
using IommuRcu.Qemu.Iommus;
using IommuRcu.Qemu.Machines;

namespace IommuRcu.Conformance.Tests.Judging;

/// <summary>Everything one test needs. Belongs to one thread, except for the domain.</summary>
internal sealed class ConformanceSession : IDisposable
{
    private const ulong MiB = 1UL << 20;
    private const ulong GiB = 1UL << 30;
    private const ulong TablesSize = 192 * MiB;

    private readonly PhysicalMemory _tableMemory;
    private readonly PhysicalAddress _tables;

    /// <summary>Starts the machine and attaches all its devices to a new domain.</summary>
    /// <param name="case">What is judged.</param>
    /// <param name="breakInvalidator">Makes a faulty invalidator of the right one, for tests that show that a fault is seen.</param>
    /// <param name="replacesWithoutBreak">Whether the domain is told that its hardware needs no invalid entry between two page sizes: QEMU's does not.</param>
    public ConformanceSession(
        ConformanceCase @case, Func<IIommuInvalidator, IIommuInvalidator>? breakInvalidator = null, bool replacesWithoutBreak = false)
    {
        Case = @case;
        ReplacesPagesInPlace = replacesWithoutBreak || @case.Architecture != Qemu.QemuArchitecture.Arm64;
        Machine = QemuMachine.Start(new QemuMachineOptions
        {
            Installation = QemuTools.Get(@case.Architecture, @case.Need),
            IommuArguments = @case.IommuArguments,
            BoardProperties = @case.BoardProperties,
        });
        PhysicalAddress low = Machine.Memory.Windows[0].Base;
        GuestMemoryWindow high = Machine.Memory.Windows[^1];
        PhysicalAddress structures = low + (16 * MiB);
        PhysicalAddress mailboxes = low + (48 * MiB);
        _tables = low + (64 * MiB);
        _tableMemory = Machine.Memory.MapForTables(_tables, TablesSize);
        Allocator = new PageAllocator(_tableMemory, new PageAllocatorOptions { PoisonFreedPages = true });
        Iommu = @case.CreateIommu(Machine, structures);
        Domain = @case.CreateDomain(new IommuDomainOptions
        {
            PageAllocator = Allocator,
            AddressBits = @case.AddressBits,
            PageSizes = @case.PageSizes,
            ReplacesWithoutBreak = replacesWithoutBreak,
            Invalidator = breakInvalidator?.Invoke(Iommu) ?? Iommu,
        });
        Granule = 1UL << Domain.GranuleLog2;

        // Data is where DMA may land: in the low memory above the tables, and in the second half of the rest.
        Data = [(low.Value + (512 * MiB), low.Value + (2 * GiB) - 1), (high.Base.Value + (2 * GiB), high.Base.Value + high.Size - 1)];

        // The mailboxes are in a place of their own in the IOVA space, away from where random mappings go.
        Rig = new DmaRig(Machine, mailboxes, new Iova(0x2_4600_0000));
        ulong mailboxSize = (Rig.MailboxesSize + Granule - 1) & ~(Granule - 1);
        Domain.Map(Rig.MailboxIova, mailboxes, mailboxSize, IommuAccess.Read | IommuAccess.Write);
        Reserved = (Rig.MailboxIova.Value, Rig.MailboxIova.Value + mailboxSize - 1);
        Iommu.Enable();
        Iommu.AttachAll(Domain.Root);
        Shadow = new ShadowMemory(
            Machine.Memory, (structures, QemuIommu.StructuresSize), (mailboxes, 16 * MiB), (_tables, TablesSize));
    }

    public ConformanceCase Case { get; }

    public QemuMachine Machine { get; }

    public QemuIommu Iommu { get; }

    public PageAllocator Allocator { get; }

    public IommuDomain Domain { get; }

    public DmaRig Rig { get; }

    public ShadowMemory Shadow { get; }

    public MappingModel Model { get; } = new();

    public ulong Granule { get; }

    /// <summary>Whether pages can be split and merged: Arm's tables want an invalid entry in between, unless told otherwise.</summary>
    public bool ReplacesPagesInPlace { get; }

    /// <summary>Physical ranges that DMA may be let into, by their first and last address.</summary>
    public IReadOnlyList<(ulong First, ulong Last)> Data { get; }

    /// <summary>The IOVAs of the mailboxes, which are none of the model's.</summary>
    public (ulong First, ulong Last) Reserved { get; }

    /// <summary>Maps, and tells the model.</summary>
    public void Map(ulong iova, ulong address, ulong size, IommuAccess access = IommuAccess.Read | IommuAccess.Write)
    {
        Domain.Map(new Iova(iova), new PhysicalAddress(address), size, access);
        Model.Map(iova, iova + size - 1, address, access);
    }

    /// <summary>Unmaps strictly, and tells the model.</summary>
    public void Unmap(ulong iova, ulong size) =>
        Assert.Equal(Model.Unmap(iova, iova + size - 1), Domain.Unmap(new Iova(iova), size));

    /// <summary>log2 of what one item of a table of a level covers, in bytes.</summary>
    public int ItemLog2(int level) => Domain.GranuleLog2 + (level * (Domain.GranuleLog2 - 3));

    /// <summary>Where the entry for an address stands in the table of a level: found from the root by the format's own rules, without the library.</summary>
    public PhysicalAddress EntryAddress(ulong iova, int level)
    {
        PageTableRoot root = Domain.Root;
        PhysicalAddress table = root.Address;
        ulong within = Domain.AddressBits == 64 ? iova : iova & ((1UL << Domain.AddressBits) - 1);
        for (int l = root.Levels - 1; ; l--)
        {
            ulong index = within >> ItemLog2(l);
            if (l < root.Levels - 1)
            {
                index &= (1UL << (Domain.GranuleLog2 - 3)) - 1;
            }
            PhysicalAddress entry = table + (index * 8);
            if (l == level)
            {
                return entry;
            }
            table = new PhysicalAddress(Case.TableAddress(Volatile.Read(ref Machine.Memory.Word(entry))));
        }
    }

    /// <summary>The entry itself, for a test to spoil while nobody else changes it.</summary>
    public ref ulong EntryOf(ulong iova, int level) => ref Machine.Memory.Word(EntryAddress(iova, level));

    public bool IsData(ulong address, ulong length) => Data.Any(d => address >= d.First && address + (length - 1) <= d.Last);

    /// <summary>A copy of the tables, to see what a device changes in them. No callback may be under way.</summary>
    public List<(PhysicalAddress Address, byte[] Bytes)> CopyTables()
    {
        Rcu.Barrier();
        var copies = new List<(PhysicalAddress, byte[])>();
        foreach ((PhysicalAddress address, ulong length) in Machine.Memory.WrittenRanges())
        {
            ulong first = ulong.Max(address.Value, _tables.Value);
            ulong end = ulong.Min(address.Value + length, _tables.Value + TablesSize);
            if (first < end)
            {
                copies.Add((new(first), Machine.Memory.Span(new(first), (int)(end - first)).ToArray()));
            }
        }
        return copies;
    }

    /// <summary>Says where a device changed tables, other than by setting the bits that it may set.</summary>
    public List<string> TableDifferences(List<(PhysicalAddress Address, byte[] Bytes)> before)
    {
        var differences = new List<string>();
        foreach ((PhysicalAddress address, byte[] bytes) in before)
        {
            Span<ulong> now = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(Machine.Memory.Span(address, bytes.Length));
            ReadOnlySpan<ulong> then = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(bytes);
            for (int i = now.CommonPrefixLength(then); i < now.Length; i++)
            {
                if (now[i] != then[i] && now[i] != (then[i] | (now[i] & Case.DeviceSetsInEntries)))
                {
                    differences.Add($"the table word at 0x{address.Value + ((ulong)i * 8):x} went from 0x{then[i]:x} to 0x{now[i]:x}");
                }
            }
        }
        return differences;
    }

    public void Dispose()
    {
        // Whatever fails, QEMU ends: it is the only thing that outlives a failed test.
        try
        {
            Domain.Dispose();
            Rcu.Barrier();
            Allocator.Dispose();
        }
        finally
        {
            Machine.Dispose();
        }
        _tableMemory.Dispose();
    }
}
