// What a mapping permits, and how its memory is accessed.
namespace IommuRcu;

/// <summary>What a device may do through a mapping, and with which memory type.</summary>
[Flags]
public enum IommuAccess
{
    /// <summary>Nothing: not a legal access for a mapping.</summary>
    None = 0,

    /// <summary>The device may read.</summary>
    Read = 1,

    /// <summary>The device may write.</summary>
    Write = 2,

    /// <summary>The device may fetch instructions, where the format can tell.</summary>
    Execute = 4,

    /// <summary>Accesses take part in cache coherency (snooped, write-back).</summary>
    Cacheable = 8,

    /// <summary>Device memory: strongly ordered, never cached.</summary>
    Mmio = 16,
}
