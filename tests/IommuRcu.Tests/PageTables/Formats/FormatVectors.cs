// How the vector tests ask a format for whole entries.
namespace IommuRcu.Tests.PageTables.Formats;

/// <summary>Builds entries as the engine does, for comparison with vectors computed by hand from the specifications.</summary>
internal static class FormatVectors
{
    internal const IommuAccess R = IommuAccess.Read;
    internal const IommuAccess W = IommuAccess.Write;
    internal const IommuAccess X = IommuAccess.Execute;
    internal const IommuAccess C = IommuAccess.Cacheable;
    internal const IommuAccess M = IommuAccess.Mmio;
    internal const IommuAccess RW = R | W;

    internal static ulong Leaf<TFormat>(int sizeLog2, IommuAccess access, ulong address)
        where TFormat : struct, IPageTableFormat
    {
        Assert.NotEqual(0UL, TFormat.PageSizes & (1UL << sizeLog2));
        Assert.True(TFormat.Supports(access), $"{TFormat.Name} does not support {access}.");
        int level = (sizeLog2 - TFormat.GranuleLog2) / (TFormat.GranuleLog2 - 3);
        return TFormat.LeafAttributes(level, sizeLog2, access) | TFormat.AddressField(address);
    }

    /// <summary>Asserts the levels and the root's index bits for a width; 0 levels where there is no such table.</summary>
    internal static void AssertGeometry<TFormat>(int addressBits, int levels, int rootIndexBits)
        where TFormat : struct, IPageTableFormat
    {
        Assert.Equal(levels != 0, TFormat.TryGetGeometry(addressBits, out PageTableGeometry geometry));
        if (levels != 0)
        {
            Assert.Equal(new PageTableGeometry(levels, rootIndexBits), geometry);
        }
    }
}
