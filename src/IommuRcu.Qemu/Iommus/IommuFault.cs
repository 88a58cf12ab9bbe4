// What an emulated IOMMU recorded of an access that it refused.
namespace IommuRcu.Qemu.Iommus;

/// <summary>Why an access was refused, in the words that all the IOMMUs share.</summary>
public enum IommuFaultKind
{
    /// <summary>The address is not mapped, or the mapping does not permit the access: VT-d's second stage records no difference.</summary>
    NotPermitted,

    /// <summary>The address is not mapped.</summary>
    NotMapped,

    /// <summary>The mapping does not permit the access.</summary>
    Permission,

    /// <summary>The access flag of the entry is clear, and the hardware does not set it itself.</summary>
    AccessFlag,

    /// <summary>An address is beyond what the tables, or the hardware, can say.</summary>
    AddressSize,

    /// <summary>An entry has reserved bits set, or a table could not be read.</summary>
    Malformed,

    /// <summary>The device's own entry (context, stream, device table) is not there or not valid.</summary>
    Device,

    /// <summary>Something else: see the code.</summary>
    Other,
}

/// <summary>A refused access.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Code">The reason as the IOMMU gives it.</param>
/// <param name="RequesterId">The device that asked.</param>
/// <param name="Address">The address that it asked for; its page alone where the IOMMU records no more.</param>
/// <param name="IsWrite">Whether it was to be written; null where the IOMMU does not say.</param>
public readonly record struct IommuFault(IommuFaultKind Kind, uint Code, ushort RequesterId, Iova Address, bool? IsWrite);
