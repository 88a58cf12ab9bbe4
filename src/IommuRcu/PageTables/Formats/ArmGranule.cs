// The three translation granules of VMSAv8-64, as types, so that the JIT specialises a format for each (Arm DDI 0487, section D8.2).
namespace IommuRcu;

/// <summary>States the facts of one Arm translation granule. Levels are counted from the leaves, as everywhere: level 0 is Arm's level 3.</summary>
public interface IArmGranule
{
    /// <summary>Gets the smallest page, and the size of a table, as log2 of bytes.</summary>
    static abstract int SizeLog2 { get; }

    /// <summary>Gets the highest level whose tables can hold leaves, where descriptors hold addresses of 48 bits.</summary>
    static abstract int HighestLeafLevel { get; }

    /// <summary>Gets log2 of the number of entries in a contiguous run at level 0.</summary>
    static abstract int PageRunLog2 { get; }

    /// <summary>Gets log2 of the number of entries in a contiguous run at level 1.</summary>
    static abstract int BlockRunLog2 { get; }
}

/// <summary>4 KiB granules: pages of 4 KiB, 64 KiB, 2 MiB, 32 MiB and 1 GiB.</summary>
public readonly struct ArmGranule4K : IArmGranule
{
    /// <inheritdoc/>
    public static int SizeLog2 => 12;

    /// <inheritdoc/>
    public static int HighestLeafLevel => 2;

    /// <inheritdoc/>
    public static int PageRunLog2 => 4;

    /// <inheritdoc/>
    public static int BlockRunLog2 => 4;
}

/// <summary>16 KiB granules: pages of 16 KiB, 2 MiB, 32 MiB and 1 GiB.</summary>
public readonly struct ArmGranule16K : IArmGranule
{
    /// <inheritdoc/>
    public static int SizeLog2 => 14;

    /// <inheritdoc/>
    public static int HighestLeafLevel => 1;

    /// <inheritdoc/>
    public static int PageRunLog2 => 7;

    /// <inheritdoc/>
    public static int BlockRunLog2 => 5;
}

/// <summary>64 KiB granules: pages of 64 KiB, 2 MiB, 512 MiB and 16 GiB.</summary>
public readonly struct ArmGranule64K : IArmGranule
{
    /// <inheritdoc/>
    public static int SizeLog2 => 16;

    /// <inheritdoc/>
    public static int HighestLeafLevel => 1;

    /// <inheritdoc/>
    public static int PageRunLog2 => 5;

    /// <inheritdoc/>
    public static int BlockRunLog2 => 5;
}
