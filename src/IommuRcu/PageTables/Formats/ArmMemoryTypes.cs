// The memory types that stage 1 leaves name by index, and the register value that gives the indexes their meaning.
namespace IommuRcu;

/// <summary>The memory types of Arm stage 1 mappings: what a context descriptor must hold for their indexes to mean what a mapping asked for.</summary>
public static class ArmMemoryTypes
{
    /// <summary>
    /// The value for the MAIR fields of a context descriptor: index 0 is normal memory that is not cached (0x44), index 1 normal write-back (0xff), index 2
    /// Device-nGnRE (0x04); 3 to 7 are not used.
    /// </summary>
    public const ulong AttributeIndirection = 0x0000_0000_0004_FF44;

    /// <summary>The index of normal memory that is not cached: a mapping that asks for no type.</summary>
    internal const ulong NonCacheableIndex = 0;

    /// <summary>The index of <see cref="IommuAccess.Cacheable"/>.</summary>
    internal const ulong WriteBackIndex = 1;

    /// <summary>The index of <see cref="IommuAccess.Mmio"/>.</summary>
    internal const ulong DeviceIndex = 2;
}
