// VT-d: how a device's tables are found. (VT-d specification, sections 9.1 to 9.6.)
namespace IommuRcu.Qemu.Iommus;

public sealed partial class VtdIommu
{
    private const ulong Present = 1;
    private readonly PhysicalAddress _lowerContextTable;
    private readonly PhysicalAddress _upperContextTable;
    private readonly Dictionary<ushort, PhysicalAddress> _pasidEntries = [];

    /// <inheritdoc/>
    protected override void WriteDeviceEntry(ushort requesterId, PageTableRoot root)
    {
        if (requesterId >> 8 != 0)
        {
            throw new ArgumentException("Only devices on bus 0 are served.", nameof(requesterId));
        }
        if (Mode == VtdMode.Legacy)
        {
            PhysicalAddress entry = _lowerContextTable + (requesterId * 16UL);
            WriteWord(entry, 0);
            WriteWord(entry + 8, ((ulong)DomainId << 8) | AddressWidth(root));
            WriteWord(entry, root.Address.Value | Present);
        }
        else
        {
            WritePasidEntry(requesterId, root);
        }
        InvalidateContexts();
        InvalidateDomain();
    }

    // 3 levels are 39 bits and coded 1, 4 levels 48 bits and 2, 5 levels 57 bits and 3.
    private static ulong AddressWidth(PageTableRoot root) => (ulong)(root.Levels - 2);

    // Requests without a PASID use the PASID that the context entry names: 0 here, so the first entry of the first table.
    private void WritePasidEntry(ushort requesterId, PageTableRoot root)
    {
        if (!_pasidEntries.TryGetValue(requesterId, out PhysicalAddress pasid))
        {
            PhysicalAddress directory = TakeStructure(4096);
            pasid = TakeStructure(4096);
            _pasidEntries.Add(requesterId, pasid);
            WriteWord(directory, pasid.Value | Present);
            PhysicalAddress table = requesterId < 128 ? _lowerContextTable : _upperContextTable;
            PhysicalAddress context = table + (((ulong)requesterId & 127) * 32);
            WriteWord(context, directory.Value | Present);
        }
        const ulong FirstStage = 1UL << 6;
        const ulong SecondStage = 2UL << 6;
        WriteWord(pasid, 0);
        WriteWord(pasid + 8, DomainId);
        if (Mode == VtdMode.ScalableSecondStage)
        {
            WriteWord(pasid, root.Address.Value | SecondStage | (AddressWidth(root) << 2) | Present);
        }
        else
        {
            WriteWord(pasid + 16, root.Address.Value | (root.Levels == 5 ? 1UL << 2 : 0));
            // The width is the second stage's by the specification; QEMU bounds the first stage's addresses by it as well.
            WriteWord(pasid, FirstStage | (AddressWidth(root) << 2) | Present);
        }
    }
}
