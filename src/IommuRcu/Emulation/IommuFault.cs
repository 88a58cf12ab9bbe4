// What an emulated IOMMU records when it refuses an access.
namespace IommuRcu.Emulation;

/// <summary>Why an access was refused.</summary>
public enum IommuFaultReason
{
    /// <summary>No domain is attached to the device.</summary>
    NotAttached,

    /// <summary>The IOVA lies outside what the tables can translate.</summary>
    OutsideAperture,

    /// <summary>An entry on the way maps nothing.</summary>
    NotPresent,

    /// <summary>An entry on the way has bits set, or an encoding, that the specification of the format reserves.</summary>
    Reserved,

    /// <summary>The page, or a table on the way, may not be read.</summary>
    ReadDenied,

    /// <summary>The page, or a table on the way, may not be written.</summary>
    WriteDenied,

    /// <summary>An entry points to a table that lies outside the physical memory.</summary>
    TableOutsideMemory,

    /// <summary>A leaf points to a page that lies outside the physical memory.</summary>
    PageOutsideMemory,
}

/// <summary>An access that the emulated IOMMU refused.</summary>
public readonly record struct IommuFault
{
    /// <summary>Gets the device that tried.</summary>
    public int DeviceId { get; init; }

    /// <summary>Gets the IOVA of the first byte that could not be accessed.</summary>
    public Iova Iova { get; init; }

    /// <summary>Gets whether the device wanted to write.</summary>
    public bool IsWrite { get; init; }

    /// <summary>Gets why it was refused.</summary>
    public IommuFaultReason Reason { get; init; }

    /// <summary>Gets the level of the table whose entry decided (0 is the lowest), or -1 where no table was read.</summary>
    public int Level { get; init; }

    /// <summary>Gets the entry that decided, as it was read; 0 where no table was read.</summary>
    public ulong RawEntry { get; init; }
}
