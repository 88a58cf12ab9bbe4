// SMMUv3: stream table entries, context descriptors, invalidation. (IHI 0070, sections 4.4, 5.2 and 5.4.)
namespace IommuRcu.Qemu.Iommus;

public sealed partial class SmmuV3
{
    private const ushort AddressSpaceId = 11;
    private const ushort MachineId = 12;
    private const int OutputBits48 = 5;
    private const int InvalidateBlockLimit = 64;
    private readonly Dictionary<ushort, PhysicalAddress> _contexts = [];

    /// <inheritdoc/>
    protected override void WriteDeviceEntry(ushort requesterId, PageTableRoot root)
    {
        PhysicalAddress entry = _streamTable + (requesterId * 64UL);
        WriteWord(entry, 0);
        Command(0x03 | ((ulong)requesterId << 32), 1); // CFGI_STE
        Synchronize();
        if (_stage.Stage == 1)
        {
            WriteStage1(requesterId, entry, root);
        }
        else
        {
            WriteStage2(entry, root);
        }
        Command(0x03 | ((ulong)requesterId << 32), 1);
        Command(0x30, 0); // TLBI_NSNH_ALL
        Synchronize();
    }

    private void WriteStage1(ushort requesterId, PhysicalAddress entry, PageTableRoot root)
    {
        if (!_contexts.TryGetValue(requesterId, out PhysicalAddress context))
        {
            context = TakeStructure(64);
            _contexts.Add(requesterId, context);
        }
        ulong granule = _stage.GranuleLog2 switch { 12 => 0UL, 16 => 1UL, _ => 2UL };
        ulong descriptor = (uint)(64 - _stage.AddressBits) | (granule << 6)
            | (1UL << 8) | (1UL << 10) | (3UL << 12) // walks are write-back and inner shareable
            | (1UL << 30) // no upper half
            | (1UL << 31) // valid
            | ((ulong)OutputBits48 << 32)
            | (1UL << 41) // 64-bit tables
            | (1UL << 45) | (1UL << 46) // record faults, abort
            | (1UL << 47) | ((ulong)AddressSpaceId << 48);
        WriteWord(context + 8, root.Address.Value);
        WriteWord(context + 24, ArmMemoryTypes.AttributeIndirection);
        WriteWord(context, descriptor);
        const ulong Stage1 = 0b101UL << 1;
        WriteWord(entry + 8, 0);
        WriteWord(entry + 16, 0);
        WriteWord(entry + 24, 0);
        WriteWord(entry, context.Value | Stage1 | 1);
    }

    private void WriteStage2(PhysicalAddress entry, PageTableRoot root)
    {
        // The start level's code counts from the granule's own lowest start; 4 KiB: 2 levels 0, 3 levels 1, 4 levels 2. Others: one less.
        ulong startLevel = (ulong)(root.Levels - (_stage.GranuleLog2 == 12 ? 2 : 1));
        ulong granule = _stage.GranuleLog2 switch { 12 => 0UL, 16 => 1UL, _ => 2UL };
        ulong third = MachineId
            | ((ulong)(uint)(64 - _stage.AddressBits) << 32) | (startLevel << 38)
            | (1UL << 40) | (1UL << 42) | (3UL << 44) // walks are write-back and inner shareable
            | (granule << 46) | ((ulong)OutputBits48 << 48)
            | (1UL << 51) // 64-bit tables
            | (1UL << 58); // record faults
        const ulong Stage2 = 0b110UL << 1;
        WriteWord(entry + 8, 0);
        WriteWord(entry + 16, third);
        WriteWord(entry + 24, root.Address.Value);
        WriteWord(entry, Stage2 | 1);
    }

    /// <inheritdoc/>
    protected override void InvalidateRange(IovaRange range, bool tablesFreed)
    {
        if (Blocks(range, 63, InvalidateBlockLimit) is not { } blocks)
        {
            InvalidateAll();
            Synchronize();
            return;
        }
        ulong granule = _stage.GranuleLog2 switch { 12 => 1UL, 14 => 2UL, _ => 3UL };
        foreach ((Iova first, int log2) in blocks)
        {
            // A range of (number + 1) x 2^scale granules; scale goes to 31. Smaller blocks than a granule invalidate the granule.
            int scale = int.Max(log2 - _stage.GranuleLog2, 0);
            if (scale > 31)
            {
                InvalidateAll();
                break;
            }
            ulong where = (first.Value & ~((1UL << _stage.GranuleLog2) - 1)) | (granule << 10) | (tablesFreed ? 0UL : 1UL);
            ulong operation = _stage.Stage == 1
                ? 0x12 | ((ulong)AddressSpaceId << 48) // TLBI_NH_VA
                : 0x2a | ((ulong)MachineId << 32); // TLBI_S2_IPA
            Command(operation | ((ulong)(uint)scale << 20), where);
        }
        Synchronize();
    }

    private void InvalidateAll() => Command(
        _stage.Stage == 1 ? 0x11 | ((ulong)AddressSpaceId << 48) : 0x28 | ((ulong)MachineId << 32), 0); // TLBI_NH_ASID, TLBI_S12_VMALL
}
