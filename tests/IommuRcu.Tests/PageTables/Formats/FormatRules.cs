// The rules that the engine relies on, checked against any format: what IPageTableFormat's remarks and members promise.
using System.Numerics;

namespace IommuRcu.Tests.PageTables.Formats;

/// <summary>Checks one format; a user's own may be checked the same way by deriving from it.</summary>
public abstract class FormatRules<TFormat>
    where TFormat : struct, IPageTableFormat
{
    private const int MaxLevels = 7;

    private static int IndexBits => TFormat.GranuleLog2 - 3;

    public static TheoryData<int> SizeLog2s()
    {
        var sizes = new TheoryData<int>();
        foreach (int sizeLog2 in Bits(TFormat.PageSizes))
        {
            sizes.Add(sizeLog2);
        }

        return sizes;
    }

    [Fact]
    public void Zero_IsAHoleAtEveryLevel()
    {
        for (int level = 0; level < MaxLevels; level++)
        {
            Assert.False(TFormat.IsLeaf(0, level));
            Assert.False(level > 0 && TFormat.IsTable(0, level));
        }

        Assert.False(IsDirty(0));
        Assert.NotEqual(0UL, TFormat.TableEntry(0, 1) & TFormat.TableIdentityMask);
    }

    [Fact]
    public void PageSizes_HoldTheGranuleAndFitTheirTables()
    {
        Assert.Contains(TFormat.GranuleLog2, new[] { 12, 14, 16 });
        Assert.Equal(TFormat.GranuleLog2, BitOperations.TrailingZeroCount(TFormat.PageSizes));
        Assert.True(BitOperations.Log2(TFormat.PageSizes) < TFormat.PhysicalAddressBits);
    }

    [Fact]
    public void Geometry_CoversTheWidthAndFitsSixtyFourBits()
    {
        Assert.True(TFormat.TryGetGeometry(TFormat.DefaultAddressBits, out _));
        for (int bits = -1; bits <= 66; bits++)
        {
            if (!TFormat.TryGetGeometry(bits, out PageTableGeometry geometry))
            {
                continue;
            }

            Assert.InRange(geometry.Levels, 1, MaxLevels);
            int reach = TFormat.GranuleLog2 + (IndexBits * (geometry.Levels - 1)) + geometry.RootIndexBits;
            Assert.InRange(bits, TFormat.GranuleLog2 + 1, 64);
            Assert.InRange(reach, bits, 64);
            Assert.InRange(geometry.RootIndexBits, 1, IndexBits + 4);
            Assert.True(!TFormat.SignExtended || reach == bits, "The bit that is extended is the highest that the root translates.");
            Assert.True(TFormat.GrowsFromLevels == 0 || geometry.Levels >= TFormat.GrowsFromLevels);
        }
    }

    [Fact]
    public void AddressField_IsLinearAndReversible()
    {
        var random = new Random(1);
        for (int round = 0; round < 1000; round++)
        {
            ulong mask = (ulong)random.NextInt64();
            ulong address = RandomAddress(random, TFormat.GranuleLog2);
            ulong a = address & mask;
            ulong b = address & ~mask;
            a &= ~0UL << TFormat.GranuleLog2;
            b &= ~0UL << TFormat.GranuleLog2;
            Assert.Equal(TFormat.AddressField(a | b), TFormat.AddressField(a) + TFormat.AddressField(b));

            // Neighbouring pages carry.
            ulong next = address + (1UL << TFormat.GranuleLog2);
            if (next < 1UL << TFormat.PhysicalAddressBits)
            {
                Assert.Equal(TFormat.AddressField(next), TFormat.AddressField(address) + TFormat.AddressField(1UL << TFormat.GranuleLog2));
            }
        }
    }

    [Theory]
    [MemberData(nameof(SizeLog2s))]
    public void Leaf_SaysWhatItWasMadeOf(int sizeLog2)
    {
        var random = new Random(sizeLog2);
        int level = LevelOf(sizeLog2);
        int itemLog2 = TFormat.GranuleLog2 + (IndexBits * level);
        Assert.True(sizeLog2 < itemLog2 + IndexBits, "A run fits its table.");
        foreach (IommuAccess access in SupportedAccesses())
        {
            ulong attributes = TFormat.LeafAttributes(level, sizeLog2, access);
            foreach (ulong address in Addresses(random, sizeLog2))
            {
                Assert.Equal(0UL, attributes & TFormat.AddressField(address));
                int items = 1 << (sizeLog2 - itemLog2);
                for (int item = 0; item < items; item += 1 + random.Next(items))
                {
                    ulong own = TFormat.RunsAreIdentical ? address : address + ((ulong)item << itemLog2);
                    AssertIsLeaf(attributes | TFormat.AddressField(own), level, sizeLog2, access, address);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(SizeLog2s))]
    public void Leaf_MadeDirtyAndCleanStaysTheSameMapping(int sizeLog2)
    {
        if (TFormat.DirtyMask == 0)
        {
            return;
        }

        var random = new Random(sizeLog2);
        int level = LevelOf(sizeLog2);
        foreach (IommuAccess access in SupportedAccesses())
        {
            ulong address = RandomAddress(random, sizeLog2);
            ulong leaf = TFormat.LeafAttributes(level, sizeLog2, access) | TFormat.AddressField(address);
            if ((access & IommuAccess.Write) == 0)
            {
                Assert.False(IsDirty(leaf), "What cannot be written is not dirty.");
                continue;
            }

            ulong dirty = TFormat.WithDirty(leaf);
            ulong clean = TFormat.WithoutDirty(dirty);
            Assert.True(IsDirty(dirty));
            Assert.False(IsDirty(clean));
            Assert.Equal(dirty, TFormat.WithDirty(clean));
            Assert.Equal(clean, TFormat.WithoutDirty(clean));
            AssertIsLeaf(dirty, level, sizeLog2, access, address);
            AssertIsLeaf(clean, level, sizeLog2, access, address);
            AssertIsLeaf(clean & ~TFormat.AccessedMask, level, sizeLog2, access, address);
        }
    }

    [Fact]
    public void Table_SaysWhatItWasMadeOf()
    {
        var random = new Random(2);
        for (int level = 1; level < 6; level++)
        {
            for (int round = 0; round < 200; round++)
            {
                ulong address = RandomAddress(random, TFormat.GranuleLog2);
                ulong table = TFormat.TableEntry(address, level);
                foreach (ulong variant in new[]
                    { table, table | TFormat.ReclaimMark, table | TFormat.TableAccessedMask, table & ~TFormat.TableAccessedMask })
                {
                    Assert.True(TFormat.IsTable(variant, level));
                    Assert.False(TFormat.IsLeaf(variant, level));
                    Assert.False(IsDirty(variant), "A scan compares whole vectors, tables among them.");
                    Assert.Equal(address, TFormat.TableAddress(variant));
                    Assert.Equal(table & TFormat.TableIdentityMask, variant & TFormat.TableIdentityMask);
                }

                ulong other = TFormat.TableEntry(address ^ (1UL << random.Next(TFormat.GranuleLog2, TFormat.PhysicalAddressBits)), level);
                Assert.NotEqual(table & TFormat.TableIdentityMask, other & TFormat.TableIdentityMask);
            }
        }
    }

    [Fact]
    public void TableIdentity_TellsATableFromEveryLeafAndHole()
    {
        foreach (int sizeLog2 in Bits(TFormat.PageSizes))
        {
            int level = LevelOf(sizeLog2);
            if (level == 0)
            {
                continue;
            }

            foreach (IommuAccess access in SupportedAccesses())
            {
                // The same address in both, and a code in the address field that a leaf may carry besides.
                ulong leaf = TFormat.LeafAttributes(level, sizeLog2, access);
                ulong table = TFormat.TableEntry(TFormat.LeafAddress(leaf), level);
                Assert.NotEqual(table & TFormat.TableIdentityMask, leaf & TFormat.TableIdentityMask);
            }
        }
    }

    [Fact]
    public void ReclaimMark_IsOneBitThatNothingElseUses()
    {
        ulong mark = TFormat.ReclaimMark;
        if (mark == 0)
        {
            return;
        }

        Assert.Equal(1, BitOperations.PopCount(mark));
        Assert.Equal(0UL, mark & TFormat.TableIdentityMask);
        Assert.Equal(0UL, mark & TFormat.TableAccessedMask);
        Assert.Equal(0UL, TFormat.TableAccessedMask & TFormat.TableIdentityMask);
        Assert.Equal(0UL, mark & TFormat.AddressField((1UL << TFormat.PhysicalAddressBits) - (1UL << TFormat.GranuleLog2)));
        for (int level = 1; level < 6; level++)
        {
            Assert.Equal(0UL, mark & TFormat.TableEntry(0, level));
        }
    }

    [Fact]
    public void Supports_RefusesNoPermission()
    {
        Assert.Contains(IommuAccess.Read, SupportedAccesses());
        Assert.Contains(IommuAccess.Read | IommuAccess.Write, SupportedAccesses());
        for (int bits = 0; bits < 64; bits++)
        {
            var access = (IommuAccess)bits;
            bool permits = (access & (IommuAccess.Read | IommuAccess.Write | IommuAccess.Execute)) != 0;
            Assert.False(TFormat.Supports(access) && !permits, $"{access} permits nothing.");
        }
    }

    private static void AssertIsLeaf(ulong entry, int level, int sizeLog2, IommuAccess access, ulong address)
    {
        Assert.True(TFormat.IsLeaf(entry, level));
        Assert.False(level > 0 && TFormat.IsTable(entry, level));
        Assert.Equal(sizeLog2, TFormat.LeafSizeLog2(entry, level));
        Assert.Equal(address, TFormat.LeafAddress(entry) & (~0UL << sizeLog2));
        Assert.Equal(access, TFormat.Access(entry, level));
    }

    private static bool IsDirty(ulong entry) => TFormat.DirtyMask != 0 && (entry & TFormat.DirtyMask) == TFormat.DirtyValue;

    private static int LevelOf(int sizeLog2) => (sizeLog2 - TFormat.GranuleLog2) / IndexBits;

    private static IEnumerable<IommuAccess> SupportedAccesses() =>
        Enumerable.Range(1, 63).Select(bits => (IommuAccess)bits).Where(TFormat.Supports);

    private static IEnumerable<ulong> Addresses(Random random, int sizeLog2)
    {
        yield return 0;
        yield return (1UL << TFormat.PhysicalAddressBits) - (1UL << sizeLog2);
        for (int round = 0; round < 5; round++)
        {
            yield return RandomAddress(random, sizeLog2);
        }
    }

    private static ulong RandomAddress(Random random, int alignmentLog2) =>
        (ulong)random.NextInt64() & ((1UL << TFormat.PhysicalAddressBits) - 1) & (~0UL << alignmentLog2);

    private static IEnumerable<int> Bits(ulong bitmap)
    {
        for (; bitmap != 0; bitmap &= bitmap - 1)
        {
            yield return BitOperations.TrailingZeroCount(bitmap);
        }
    }
}
